import type { Json, JsonObject } from '../kernel/index.js';
import type { CedarEntity, CedarRequest, EntityId } from './ports.js';
import type { ToolCall } from './tool-call.js';

const KIND_TYPE = { ORGANIZATION: 'Organization', GROUP: 'Group', PROJECT: 'Project' } as const;

/** The call as Cedar is asked about it: see SCHEMA in model.ts. Pure. */
export function cedarRequest(call: ToolCall): CedarRequest {
  const line = call.projectLine.map(({ id, kind }): EntityId => ({ type: KIND_TYPE[kind], id }));
  const project = line.at(-1);
  if (project?.type !== 'Project') throw new Error('A call is made in a project.');
  const agent = { type: 'Agent', id: call.agent.id };
  const user = { type: 'User', id: call.user.id };
  const tool = { type: 'Tool', id: call.tool.id };
  const use = { type: 'ToolUse', id: 'this call' };
  return {
    principal: agent,
    action: { type: 'Action', id: 'invokeTool' },
    resource: use,
    context: {
      user: entity(user),
      role: call.user.level,
      now: { __extn: { fn: 'datetime', arg: call.now.toISOString() } },
      ...(call.sessionId !== null && { session: call.sessionId }),
    },
    entities: [
      ...line.map((uid, index): CedarEntity => ({ uid, attrs: {}, parents: line.slice(Math.max(0, index - 1), index) })),
      { uid: user, attrs: {}, parents: [] },
      agentEntity(agent, call.agent),
      { uid: tool, attrs: {}, parents: call.tool.server === null ? [] : [{ type: 'Server', id: call.tool.server }] },
      { uid: use, attrs: useAttributes(call, project, tool), parents: [project, tool], tags: argumentTags(call.arguments) },
    ],
  };
}

const entity = ({ type, id }: EntityId): Json => ({ __entity: { type, id } });

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

const useAttributes = ({ tool: facts }: ToolCall, project: EntityId, tool: EntityId): Readonly<Record<string, Json>> => ({
  project: entity(project),
  tool: entity(tool),
  known: facts.isKnown,
  actionType: facts.actionType,
  risk: facts.risk,
  ...(facts.definitionDigest !== null && { definitionDigest: facts.definitionDigest }),
});

/** Strings, numbers and booleans at the top of the arguments, as strings under their names. Nothing in them is interpreted. */
function argumentTags(given: JsonObject): Readonly<Record<string, Json>> {
  const scalars = Object.entries(given).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return Object.fromEntries(scalars.map(([name, value]) => [name, String(value)]));
}
