import { entityUid, type EntityUid, type Value } from '../../cedar/index.js';
import { isJsonObject, type Json } from '../../kernel/index.js';
import type { CedarRequest } from '../ports.js';
import { readsOf, type Read } from './reads.js';

/** Something that policies looked at, and what they found. */
export interface FactRead {
  /** As a policy writes it: `context.role`, `resource.getTag("path")`, `principal in AgentClass::"coding"`. */
  readonly path: string;
  /** The argument of the call, where it is one. */
  readonly argument: string | null;
  /** Null when it is not there. */
  readonly value: Json;
  readonly isAbsent: boolean;
  /** Whether it is about the agent: what the directory says of it. */
  readonly isOfAgent: boolean;
}

/** The most facts that are told of one call. */
export const MAX_FACTS = 200;

/** What statements, in Cedar's JSON form, read of a request: each once, by path. Pure. */
export function factsRead(statements: Iterable<Json>, request: CedarRequest): readonly FactRead[] {
  const facts = new Map<string, FactRead>();
  for (const est of statements) {
    for (const read of readsOf(est)) if (!facts.has(read.text) && isTold(read)) facts.set(read.text, factOf(read, request));
  }
  return [...facts.values()].sort((left, right) => (left.path < right.path ? -1 : 1)).slice(0, MAX_FACTS);
}

/** The context as a whole says nothing, and the use of the tool is a name without meaning. */
const isTold = ({ root, path, kind }: Read): boolean =>
  kind !== 'ATTRIBUTE' || path.length > 0 || ('variable' in root && root.variable === 'principal');

function factOf(read: Read, request: CedarRequest): FactRead {
  const value = valueOf(read, request);
  return {
    ...{ path: read.text, argument: read.name, value: value === undefined ? null : jsonOf(value), isAbsent: value === undefined },
    isOfAgent: isOfAgent(read),
  };
}

const isOfAgent = ({ root }: Read): boolean => ('variable' in root ? root.variable === 'principal' : uidIn(root.entity)?.type === 'Agent');

function valueOf({ kind, root, path, name, of }: Read, request: CedarRequest): Value | undefined {
  const start = 'variable' in root ? variableIn(request, root.variable) : uidIn(root.entity);
  const value = path.reduce<Value | undefined>((found, attribute) => memberOf(found, attribute, request), start);
  if (kind === 'ATTRIBUTE' || value === undefined) return value;
  if (kind === 'ARGUMENT') return isEntity(value) && name !== null ? request.entities.get(value.key)?.tags.get(name) : undefined;
  return isEntity(value) && of.some((one) => liesIn(value, uidIn(one)?.key ?? '', request));
}

const isEntity = (value: Value): value is EntityUid => typeof value === 'object' && value.kind === 'entity';

function variableIn({ principal, action, resource, context }: CedarRequest, name: string): Value | undefined {
  return { principal, action, resource, context }[name];
}

function uidIn(entity: Json): EntityUid | undefined {
  return isJsonObject(entity) ? entityUid(String(entity['type']), String(entity['id'])) : undefined;
}

function memberOf(value: Value | undefined, name: string, { entities }: CedarRequest): Value | undefined {
  if (typeof value !== 'object') return undefined;
  if (value.kind === 'record') return value.fields.get(name);
  return value.kind === 'entity' ? entities.get(value.key)?.attributes.get(name) : undefined;
}

function liesIn({ key }: EntityUid, target: string, request: CedarRequest): boolean {
  return key === target || (request.entities.get(key)?.parents ?? []).some((parent) => liesIn(parent, target, request));
}

/** A value for people and programs that know nothing of Cedar. */
function jsonOf(value: Value): Json {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object') return value;
  switch (value.kind) {
    case 'entity':
      return { type: value.type, id: value.id };
    case 'set':
      return value.members.map(jsonOf).sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
    case 'record':
      return Object.fromEntries([...value.fields].map(([name, field]) => [name, jsonOf(field)]));
    case 'datetime':
      return new Date(Number(value.amount)).toISOString();
    default:
      // The model has no attribute of another kind.
      return value.kind;
  }
}
