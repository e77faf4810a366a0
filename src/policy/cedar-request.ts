import type { Json } from '../kernel/index.js';
import type { CallArguments } from './call-arguments.js';
import { localTime } from './local-time.js';
import type { CedarEntity, CedarRequest, EntityId } from './ports.js';
import type { Approval, NamespaceFacts, ToolCall } from './tool-call.js';

const KIND_TYPE = { ORGANIZATION: 'Organization', GROUP: 'Group', PROJECT: 'Project' } as const;

/** Of a line in which the platform has classified nothing: as confidential as can be. */
export const UNKNOWN_DATA_CLASS = 3;

/**
 * The call as Cedar is asked about it: see SCHEMA in model.ts. As it is, without any promise; `supposing` adds what is supposed. Pure.
 */
export function cedarRequest(call: ToolCall, given: CallArguments): CedarRequest {
  const line = call.projectLine.map(({ id, kind }): EntityId => ({ type: KIND_TYPE[kind], id }));
  const project = line.at(-1);
  if (project?.type !== 'Project') throw new Error('A call is made in a project.');
  const agent = { type: 'Agent', id: call.agent.id };
  const user = { type: 'User', id: call.user.id };
  const tool = { type: 'Tool', id: call.tool.id };
  const use = { type: 'ToolUse', id: THIS_CALL };
  return supposing(
    {
      principal: agent,
      action: { type: 'Action', id: 'invokeTool' },
      resource: use,
      context: contextOf(call, user),
      entities: [
        ...lineEntities(line, call.projectLine),
        { uid: user, attrs: {}, parents: call.user.teams.map((id) => ({ type: 'Team', id })) },
        agentEntity(agent, call.agent),
        toolEntity(tool, call.tool),
        { uid: use, attrs: useAttributes(call, given, project, tool), parents: [project, tool], tags: Object.fromEntries(given.texts) },
        ...typedArguments(given),
      ],
    },
    call.approval,
    [],
  );
}

const THIS_CALL = 'this call';

/** The request as it would be with this approval and these promises. */
export const supposing = (request: CedarRequest, approval: Approval | null, promises: readonly string[]): CedarRequest => ({
  ...request,
  context: {
    ...request.context,
    promises,
    ...(approval !== null && { approval: { level: approval.level, count: approval.count } }),
  },
});

const entity = ({ type, id }: EntityId): Json => ({ __entity: { type, id } });

const contextOf = (call: ToolCall, user: EntityId): Readonly<Record<string, Json>> => {
  const { environment, branch, isBranchProtected, surface, executionMode } = call.circumstances;
  const { labels, counts } = call.session;
  return {
    user: entity(user),
    role: call.user.level,
    now: { __extn: { fn: 'datetime', arg: call.now.toISOString() } },
    local: { ...localTime(call.now, call.timeZone) },
    environment,
    ...(branch !== null && { branch }),
    branchProtected: isBranchProtected,
    surface,
    executionMode,
    ...(call.sessionId !== null && { session: call.sessionId }),
    ...(labels !== null && { sessionLabels: labels }),
    ...(counts !== null && { sessionCounts: { ...counts } }),
  };
};

/** Each namespace with what holds there: the strictest that was said of it or of one above. */
function lineEntities(line: readonly EntityId[], facts: readonly NamespaceFacts[]): readonly CedarEntity[] {
  return line.map((uid, index): CedarEntity => {
    const above = facts.slice(0, index + 1);
    const classes = above.flatMap(({ dataClass }) => (dataClass === null ? [] : [dataClass]));
    return {
      uid,
      attrs: {
        dataClass: classes.length === 0 ? UNKNOWN_DATA_CLASS : Math.max(...classes),
        classified: classes.length > 0,
        frozen: above.some(({ isFrozen }) => isFrozen),
      },
      parents: line.slice(Math.max(0, index - 1), index),
    };
  });
}

const agentEntity = (uid: EntityId, agent: ToolCall['agent']): CedarEntity => ({
  uid,
  attrs: {
    known: agent.isKnown,
    trust: agent.trust,
    autonomous: agent.autonomous,
    ...(agent.ownerId !== null && { owner: entity({ type: 'User', id: agent.ownerId }) }),
  },
  parents: agent.classes.map((id) => ({ type: 'AgentClass', id })),
});

const toolEntity = (uid: EntityId, { server, labels }: ToolCall['tool']): CedarEntity => ({
  uid,
  attrs: {},
  parents: [...(server === null ? [] : [{ type: 'Server', id: server }]), ...labels.map((id) => ({ type: 'ToolLabel', id }))],
});

const useAttributes = (
  { tool: facts }: ToolCall,
  given: CallArguments,
  project: EntityId,
  tool: EntityId,
): Readonly<Record<string, Json>> => ({
  project: entity(project),
  tool: entity(tool),
  known: facts.isKnown,
  actionType: facts.actionType,
  risk: facts.risk,
  ...(facts.definitionDigest !== null && { definitionDigest: facts.definitionDigest }),
  labels: facts.labels,
  numbers: entity({ type: 'NumberArguments', id: THIS_CALL }),
  flags: entity({ type: 'FlagArguments', id: THIS_CALL }),
  lists: entity({ type: 'ListArguments', id: THIS_CALL }),
  argumentNames: [...given.names],
  roundedArguments: [...given.rounded],
  argumentsComplete: given.isComplete,
});

/** The arguments that are tags of another type than text. What is not there has no tags: Cedar says so without an entity. */
function typedArguments({ numbers, flags, lists }: CallArguments): readonly CedarEntity[] {
  const holder = (type: string, tags: Readonly<Record<string, Json>>): readonly CedarEntity[] =>
    Object.keys(tags).length === 0 ? [] : [{ uid: { type, id: THIS_CALL }, attrs: {}, parents: [], tags }];
  return [
    ...holder('NumberArguments', Object.fromEntries(numbers)),
    ...holder('FlagArguments', Object.fromEntries(flags)),
    ...holder('ListArguments', Object.fromEntries([...lists].map(([name, values]) => [name, [...values]]))),
  ];
}
