import {
  datetime,
  entitiesFromJson,
  entityUid,
  fieldsOf,
  recordOf,
  setOf,
  type EntityNode,
  type EntityReader,
  type EntityUid,
  type Request,
} from '../../src/cedar/index.js';
import { entities, type Call } from './world.js';

const NOW = Date.UTC(2026, 10, 22, 9, 30);
const ACTION = entityUid('Action', 'invokeTool');

/** The entities of all requests, kept as a decision process keeps them. */
const kept = entitiesFromJson([...entities.values()]);
const names: Readonly<Record<string, Map<number, EntityUid>>> = { Project: new Map(), Tool: new Map(), Agent: new Map(), User: new Map() };

/** The name of an entity that is kept. */
function nameOf(type: string, id: number): EntityUid {
  const known = names[type]?.get(id);
  if (known !== undefined) return known;
  const made = entityUid(type, String(id));
  names[type]?.set(id, made);
  return made;
}

/** A call as the compiled policies are asked: what is made for it anew, beside the entities that are kept. */
export function askedOf(call: Call): { readonly request: Request; readonly read: EntityReader } {
  const project = nameOf('Project', call.project);
  const tool = nameOf('Tool', call.tool);
  const resource = entityUid('ToolUse', 'this call');
  const use: EntityNode = {
    attributes: fieldsOf([
      ['project', project],
      ['tool', tool],
      ['risk', call.risk],
      ['labels', setOf(call.labels)],
    ]),
    tags: fieldsOf([
      ['path', call.path],
      ['query', 'a few words'],
    ]),
    parents: [project, tool],
  };
  return {
    request: { principal: nameOf('Agent', call.agent), action: ACTION, resource, context: contextOf(call) },
    read: readerWith(resource, use),
  };
}

/** The entities that are kept, and one more. */
function readerWith(of: EntityUid, node: EntityNode): EntityReader {
  return (uid) => (uid === of ? node : kept(uid));
}

const contextOf = (call: Call): Request['context'] =>
  recordOf(
    fieldsOf([
      ['user', nameOf('User', call.agent % 50)],
      ['role', call.role],
      ['env', call.environment],
      ['branch', 'main'],
      ['branchProtected', call.environment === 'production'],
      ['now', datetime(NOW)],
      ['dataClass', call.dataClass],
      ['taint', setOf(call.taint)],
      ['calls', call.calls],
      ['killSwitch', false],
      ['promises', setOf(call.promises)],
      ['session', 'session 7'],
      ...(call.approval === null ? [] : [['approval', recordOf(fieldsOf([['level', call.approval]]))] as const]),
    ]),
  );
