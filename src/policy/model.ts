/**
 * Version of the model; raised by every change of SCHEMA or of what annotations mean. Within one major version attributes are only
 * added, and what an attribute of an earlier version means stays: texts published then are evaluated unchanged (docs/adr/0014).
 */
export const SCHEMA_VERSION = '2.0.0';

/**
 * What policies may speak about, in Cedar's schema syntax. One constant schema: tools and servers are data, so a new tool never
 * re-types a policy. Described attribute by attribute in docs/policy-model.md.
 *
 * A call is `Action::"invokeTool"` by an `Agent` on a `ToolUse`, made for that one call: it lies in its project (and so in every
 * group above and the organization) and in its tool (and so in the tool's server and labels). The call's arguments are tags, never
 * part of the context, so that no argument can pass for anything else: those of the ToolUse are texts, and since the tags of one
 * entity type have one type, numbers, flags and lists are tags of entities of their own.
 */
export const SCHEMA = `
entity Organization = {
  dataClass: Long,
  classified: Bool,
  frozen: Bool,
};
entity Group in [Group, Organization] = {
  dataClass: Long,
  classified: Bool,
  frozen: Bool,
};
entity Project in [Group, Organization] = {
  dataClass: Long,
  classified: Bool,
  frozen: Bool,
};
entity Team;
entity User in [Team];
entity AgentClass;
entity Agent in [AgentClass] = {
  known: Bool,
  trust: Long,
  autonomous: Bool,
  owner?: User,
};
entity Server;
entity ToolLabel;
entity Tool in [Server, ToolLabel];
entity NumberArguments tags Long;
entity FlagArguments tags Bool;
entity ListArguments tags Set<String>;
entity ToolUse in [Project, Tool] = {
  project: Project,
  tool: Tool,
  known: Bool,
  actionType: String,
  risk: Long,
  definitionDigest?: String,
  labels: Set<String>,
  numbers: NumberArguments,
  flags: FlagArguments,
  lists: ListArguments,
  argumentNames: Set<String>,
  roundedArguments: Set<String>,
  argumentsComplete: Bool,
} tags String;
type LocalTime = {
  date: String,
  weekday: Long,
  hour: Long,
  minute: Long,
};
type SessionCounts = {
  allowed: Long,
  asked: Long,
  denied: Long,
  failed: Long,
};
type Approval = {
  level: Long,
  count: Long,
};
action invokeTool appliesTo {
  principal: [Agent],
  resource: [ToolUse],
  context: {
    user: User,
    role: Long,
    now: datetime,
    local: LocalTime,
    environment: String,
    branch?: String,
    branchProtected: Bool,
    surface: String,
    executionMode: String,
    session?: String,
    sessionLabels?: Set<String>,
    sessionCounts?: SessionCounts,
    approval?: Approval,
    promises: Set<String>,
  },
};
`.trimStart();
