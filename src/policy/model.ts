/** Version of the model; raised by every change of SCHEMA. */
export const SCHEMA_VERSION = '1.0.0';

/**
 * What policies may speak about, in Cedar's schema syntax. One constant schema: tools and servers are data, so a new tool never
 * re-types a policy. Described attribute by attribute in docs/administrators.md.
 *
 * A call is `Action::"invokeTool"` by an `Agent` on a `ToolUse`, made for that one call: it lies in its project (and so in every
 * group above and the organization) and in its tool (and so in the tool's server). The call's arguments are the ToolUse's tags:
 * strings under the arguments' names, never part of the context, so that no argument can pass for anything else.
 */
export const SCHEMA = `
entity Organization;
entity Group in [Group, Organization];
entity Project in [Group, Organization];
entity User;
entity AgentClass;
entity Agent in [AgentClass] = {
  known: Bool,
  trust: Long,
  autonomous: Bool,
  owner?: User,
};
entity Server;
entity Tool in [Server];
entity ToolUse in [Project, Tool] = {
  project: Project,
  tool: Tool,
  known: Bool,
  actionType: String,
  risk: Long,
  definitionDigest?: String,
} tags String;
action invokeTool appliesTo {
  principal: [Agent],
  resource: [ToolUse],
  context: {
    user: User,
    role: Long,
    now: datetime,
    session?: String,
  },
};
`.trimStart();
