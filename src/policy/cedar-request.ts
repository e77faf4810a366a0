import { datetime, entityUid, fieldsOf, recordOf, setOf, type EntityUid, type Fields, type Value } from '../cedar/index.js';
import type { CallArguments } from './call-arguments.js';
import { localTime } from './local-time.js';
import type { CedarEntity, CedarRequest } from './ports.js';
import type { Approval, NamespaceFacts, ToolCall } from './tool-call.js';

const KIND_TYPE = { ORGANIZATION: 'Organization', GROUP: 'Group', PROJECT: 'Project' } as const;

/** Of a line in which the platform has classified nothing: as confidential as can be. */
export const UNKNOWN_DATA_CLASS = 3;

const INVOKE_TOOL = entityUid('Action', 'invokeTool');
const THIS_USE = entityUid('ToolUse', 'this call');
const THESE_NUMBERS = entityUid('NumberArguments', 'this call');
const THESE_FLAGS = entityUid('FlagArguments', 'this call');
const THESE_LISTS = entityUid('ListArguments', 'this call');

const NONE: Fields = new Map();

/**
 * The call as Cedar is asked about it: see SCHEMA in model.ts. As it is, without any promise; `supposing` adds what is supposed. Pure.
 *
 * What comes from outside goes into values as the text that it is; no name in it means anything.
 */
export function cedarRequest(call: ToolCall, given: CallArguments): CedarRequest {
  const line = call.projectLine.map(({ id, kind }) => entityUid(KIND_TYPE[kind], id));
  const project = line.at(-1);
  if (project?.type !== 'Project') throw new Error('A call is made in a project.');
  const agent = entityUid('Agent', call.agent.id);
  const user = entityUid('User', call.user.id);
  const tool = entityUid('Tool', call.tool.id);
  const entities = new Map<string, CedarEntity>();
  const add = (entity: CedarEntity): unknown => entities.set(entity.uid.key, entity);
  lineEntities(line, call.projectLine).forEach(add);
  add({ uid: user, attributes: NONE, tags: NONE, parents: call.user.teams.map((id) => entityUid('Team', id)) });
  add(agentEntity(agent, call.agent));
  add(toolEntity(tool, call.tool));
  add({ uid: THIS_USE, attributes: useAttributes(call, given, project, tool), parents: [project, tool], tags: given.texts });
  typedArguments(given).forEach(add);
  return supposing(
    {
      principal: agent,
      action: INVOKE_TOOL,
      resource: THIS_USE,
      context: recordOf(contextOf(call, user)),
      entities,
    },
    call.approval,
    [],
  );
}

/** The request as it would be with this approval and these promises. */
export function supposing(request: CedarRequest, approval: Approval | null, promises: readonly string[]): CedarRequest {
  const fields = new Map(request.context.fields).set('promises', setOf(promises));
  if (approval !== null) fields.set('approval', recordFrom({ level: approval.level, count: approval.count }));
  return { ...request, context: recordOf(fields) };
}

const fieldsFrom = (values: Readonly<Record<string, Value>>): Fields => fieldsOf(Object.entries(values));
const recordFrom = (values: Readonly<Record<string, Value>>): Value => recordOf(fieldsFrom(values));

// Field by field: this is made for every call anew, and lists of entries would take twice as long.
const contextOf = (call: ToolCall, user: EntityUid): Fields => {
  const { environment, branch, isBranchProtected, surface, executionMode } = call.circumstances;
  const { labels, counts } = call.session;
  const fields = new Map<string, Value>()
    .set('user', user)
    .set('role', call.user.level)
    .set('now', datetime(call.now.getTime()))
    .set('local', localRecord(call))
    .set('environment', environment)
    .set('branchProtected', isBranchProtected)
    .set('surface', surface)
    .set('executionMode', executionMode);
  if (branch !== null) fields.set('branch', branch);
  if (call.sessionId !== null) fields.set('session', call.sessionId);
  if (labels !== null) fields.set('sessionLabels', setOf(labels));
  if (counts !== null) fields.set('sessionCounts', recordFrom({ ...counts }));
  return fields;
};

function localRecord({ now, timeZone }: ToolCall): Value {
  const { date, weekday, hour, minute } = localTime(now, timeZone);
  return recordOf(new Map<string, Value>().set('date', date).set('weekday', weekday).set('hour', hour).set('minute', minute));
}

/** Each namespace with what holds there: the strictest that was said of it or of one above. */
function lineEntities(line: readonly EntityUid[], facts: readonly NamespaceFacts[]): readonly CedarEntity[] {
  return line.map((uid, index): CedarEntity => {
    const above = facts.slice(0, index + 1);
    const classes = above.flatMap(({ dataClass }) => (dataClass === null ? [] : [dataClass]));
    return {
      uid,
      attributes: fieldsFrom({
        dataClass: classes.length === 0 ? UNKNOWN_DATA_CLASS : Math.max(...classes),
        classified: classes.length > 0,
        frozen: above.some(({ isFrozen }) => isFrozen),
      }),
      tags: NONE,
      parents: line.slice(Math.max(0, index - 1), index),
    };
  });
}

const agentEntity = (uid: EntityUid, agent: ToolCall['agent']): CedarEntity => ({
  uid,
  attributes: fieldsFrom({
    known: agent.isKnown,
    trust: agent.trust,
    autonomous: agent.autonomous,
    ...(agent.ownerId !== null && { owner: entityUid('User', agent.ownerId) }),
  }),
  tags: NONE,
  parents: agent.classes.map((id) => entityUid('AgentClass', id)),
});

const toolEntity = (uid: EntityUid, { server, labels }: ToolCall['tool']): CedarEntity => ({
  uid,
  attributes: NONE,
  tags: NONE,
  parents: [...(server === null ? [] : [entityUid('Server', server)]), ...labels.map((id) => entityUid('ToolLabel', id))],
});

function useAttributes({ tool: facts }: ToolCall, given: CallArguments, project: EntityUid, tool: EntityUid): Fields {
  const fields = new Map<string, Value>()
    .set('project', project)
    .set('tool', tool)
    .set('known', facts.isKnown)
    .set('actionType', facts.actionType)
    .set('risk', facts.risk)
    .set('labels', setOf(facts.labels))
    .set('numbers', THESE_NUMBERS)
    .set('flags', THESE_FLAGS)
    .set('lists', THESE_LISTS)
    .set('argumentNames', setOf([...given.names]))
    .set('roundedArguments', setOf([...given.rounded]))
    .set('argumentsComplete', given.isComplete);
  if (facts.definitionDigest !== null) fields.set('definitionDigest', facts.definitionDigest);
  return fields;
}

/** The arguments that are tags of another type than text. What is not there has no tags: Cedar says so without an entity. */
function typedArguments({ numbers, flags, lists }: CallArguments): readonly CedarEntity[] {
  const holder = (uid: EntityUid, tags: Fields): readonly CedarEntity[] =>
    tags.size === 0 ? [] : [{ uid, attributes: NONE, tags, parents: [] }];
  return [
    ...holder(THESE_NUMBERS, numbers),
    ...holder(THESE_FLAGS, flags),
    ...holder(THESE_LISTS, new Map([...lists].map(([name, values]) => [name, setOf([...values])]))),
  ];
}
