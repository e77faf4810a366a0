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
  for (const entity of lineEntities(line, call.projectLine)) add(entity);
  add({ uid: user, attributes: NONE, tags: NONE, parents: call.user.teams.map((id) => entityUid('Team', id)) });
  add(agentEntity(agent, call.agent));
  add(toolEntity(tool, call.tool));
  add({ uid: THIS_USE, attributes: useAttributes(call, given, project, tool), parents: [project, tool], tags: given.texts });
  addTypedArguments(add, given);
  const context = recordOf(supposed(contextOf(call, user), call.approval, []));
  return { principal: agent, action: INVOKE_TOOL, resource: THIS_USE, context, entities };
}

/** The request as it would be with this approval and these promises. */
export function supposing(request: CedarRequest, approval: Approval | null, promises: readonly string[]): CedarRequest {
  const { principal, action, resource, entities } = request;
  const context = recordOf(supposed(new Map(request.context.fields), approval, promises));
  return { principal, action, resource, context, entities };
}

function supposed(fields: Map<string, Value>, approval: Approval | null, promises: readonly string[]): Fields {
  fields.set('promises', setOf(promises));
  if (approval !== null) fields.set('approval', recordFrom({ level: approval.level, count: approval.count }));
  return fields;
}

const recordFrom = (values: Readonly<Record<string, Value>>): Value => recordOf(fieldsOf(Object.entries(values)));

// Field by field: this is made for every call anew, and lists of entries would take twice as long.
const contextOf = (call: ToolCall, user: EntityUid): Map<string, Value> => {
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
  let strictest: number | null = null;
  let isFrozen = false;
  return line.map((uid, index): CedarEntity => {
    const own = facts[index];
    if (own !== undefined && own.dataClass !== null) strictest = Math.max(strictest ?? own.dataClass, own.dataClass);
    isFrozen ||= own?.isFrozen === true;
    const attributes = new Map<string, Value>()
      .set('dataClass', strictest ?? UNKNOWN_DATA_CLASS)
      .set('classified', strictest !== null)
      .set('frozen', isFrozen);
    return { uid, attributes, tags: NONE, parents: line.slice(Math.max(0, index - 1), index) };
  });
}

function agentEntity(uid: EntityUid, agent: ToolCall['agent']): CedarEntity {
  const attributes = new Map<string, Value>().set('known', agent.isKnown).set('trust', agent.trust).set('autonomous', agent.autonomous);
  if (agent.ownerId !== null) attributes.set('owner', entityUid('User', agent.ownerId));
  return { uid, attributes, tags: NONE, parents: agent.classes.map((id) => entityUid('AgentClass', id)) };
}

function toolEntity(uid: EntityUid, { server, labels }: ToolCall['tool']): CedarEntity {
  const parents = labels.map((id) => entityUid('ToolLabel', id));
  if (server !== null) parents.push(entityUid('Server', server));
  return { uid, attributes: NONE, tags: NONE, parents };
}

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
function addTypedArguments(add: (entity: CedarEntity) => void, { numbers, flags, lists }: CallArguments): void {
  const hold = (uid: EntityUid, tags: Fields): void => {
    if (tags.size > 0) add({ uid, attributes: NONE, tags, parents: [] });
  };
  hold(THESE_NUMBERS, numbers);
  hold(THESE_FLAGS, flags);
  const sets = new Map<string, Value>();
  for (const [name, values] of lists) sets.set(name, setOf([...values]));
  hold(THESE_LISTS, sets);
}
