import { binary, expression, literal, variable, type Expression } from './expression.js';
import { readExpression } from './read-expression.js';
import { exactly, hasMember, mapItems, membersOf, textOf, type Members } from './read-json.js';
import { readEntityType, readUid } from './read-value.js';
import { at, START, Unsupported, type Place } from './refusal.js';
import type { EntityUid } from './value.js';

export type Effect = 'permit' | 'forbid';
export type ClauseKind = 'when' | 'unless';
export type PartyName = 'principal' | 'action' | 'resource';

/** What the scope of a policy demands of one party, and by what a policy can be found that demands it. */
export interface Constraint {
  /** Null when it takes everybody. */
  readonly demand: Expression | null;
  /** The one entity or the type that it names, when it names one. */
  readonly target: Target | null;
}

/** `key` is that of an entity, or the name of a type. */
export interface Target {
  readonly party: PartyName;
  readonly relation: 'is' | 'liesIn' | 'hasType';
  readonly key: string;
}

/** A policy as read, known to be one that can be compiled. */
export interface PolicySource {
  readonly effect: Effect;
  readonly scope: Readonly<Record<PartyName, Constraint>>;
  readonly clauses: readonly { readonly kind: ClauseKind; readonly body: Expression }[];
}

/**
 * Reads a policy in Cedar's JSON form (docs.cedarpolicy.com/policies/json-format.html).
 *
 * @throws Unsupported when it holds anything that is not known to be held
 */
export function readPolicy(est: unknown): PolicySource {
  const members = exactly(est, START, ['effect', 'principal', 'action', 'resource', 'conditions'], ['annotations']);
  const effect = members['effect'];
  if (effect !== 'permit' && effect !== 'forbid') throw new Unsupported('an effect other than permit and forbid', at(START, 'effect'));
  return {
    effect,
    scope: {
      principal: readConstraint('principal', members['principal'], at(START, 'principal')),
      action: readConstraint('action', members['action'], at(START, 'action')),
      resource: readConstraint('resource', members['resource'], at(START, 'resource')),
    },
    clauses: mapItems(members['conditions'], at(START, 'conditions'), readClause),
  };
}

function readClause(json: unknown, place: Place): PolicySource['clauses'][number] {
  const members = exactly(json, place, ['kind', 'body']);
  const kind = members['kind'];
  if (kind !== 'when' && kind !== 'unless') throw new Unsupported('a condition other than when and unless', place);
  return { kind, body: readExpression(members['body'], at(place, 'body')) };
}

function readConstraint(party: PartyName, json: unknown, place: Place): Constraint {
  const op = membersOf(json, place)['op'];
  if (op === 'All') return everybody(exactly(json, place, ['op']));
  if (op === '==') return equals(party, readScopeUid(party, membersOf(json, place), place, ['op']));
  if (op === 'is' && party !== 'action') return hasType(party, json, place);
  if (op !== 'in') throw new Unsupported(`the scope operator ${JSON.stringify(op)}`, place);
  const members = membersOf(json, place);
  if (party === 'action' && hasMember(members, 'entities')) return liesInOneOf(exactly(json, place, ['op', 'entities']), place);
  return liesIn(party, readScopeUid(party, members, place, ['op']));
}

const everybody = (_members: Members): Constraint => ({ demand: null, target: null });

const equals = (party: PartyName, uid: EntityUid): Constraint => ({
  demand: binary('==', variable(party), literal(uid)),
  target: { party, relation: 'is', key: uid.key },
});

const liesIn = (party: PartyName, uid: EntityUid): Constraint => ({
  demand: binary('in', variable(party), literal(uid)),
  target: { party, relation: 'liesIn', key: uid.key },
});

/** `action in [...]` */
function liesInOneOf(members: Members, place: Place): Constraint {
  const uids = mapItems(members['entities'], at(place, 'entities'), readActionUid);
  return { demand: binary('in', variable('action'), expression({ op: 'set', members: uids.map(literal) })), target: null };
}

/** `is T` or `is T in e` */
function hasType(party: PartyName, json: unknown, place: Place): Constraint {
  const members = exactly(json, place, ['op', 'entity_type'], ['in']);
  const entityType = readEntityType(members['entity_type'], at(place, 'entity_type'));
  const inside = at(place, 'in');
  const uid = hasMember(members, 'in') ? readScopeUid(party, membersOf(members['in'], inside), inside) : null;
  const container = uid === null ? null : literal(uid);
  return {
    demand: expression({ op: 'is', left: variable(party), entityType, container }),
    target: uid === null ? { party, relation: 'hasType', key: entityType } : { party, relation: 'liesIn', key: uid.key },
  };
}

/** The entity that a scope names. A slot of a template is none before the template is linked. */
function readScopeUid(party: PartyName, members: Members, place: Place, others: readonly string[] = []): EntityUid {
  if (hasMember(members, 'slot')) throw new Unsupported(`the slot ${textOf(members['slot'], place)}`, place);
  const entity = exactly(members, place, [...others, 'entity'])['entity'];
  return party === 'action' ? readActionUid(entity, at(place, 'entity')) : readUid(entity, at(place, 'entity'));
}

function readActionUid(json: unknown, place: Place): EntityUid {
  const uid = readUid(json, place);
  if (!/(?:^|::)Action$/.test(uid.type)) throw new Unsupported(`an action of the type ${uid.type}`, place);
  return uid;
}
