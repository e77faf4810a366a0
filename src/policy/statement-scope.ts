import { isJsonObject, type Json } from '../kernel/index.js';

/** An entity that a statement names. */
export interface EntityId {
  readonly type: string;
  readonly id: string;
}

/** What stands in one place of a statement's parentheses. */
export type ScopePart =
  /** Nothing is asked: `resource`. */
  | { readonly kind: 'ANY' }
  /** One thing: `resource == ToolUse::"…"`. */
  | { readonly kind: 'IS'; readonly entity: EntityId }
  /** Whatever lies in one of these: `resource in Group::"…"`, `action in […]`. */
  | { readonly kind: 'IN'; readonly entities: readonly EntityId[] };

/** To whom, to which actions and to what a statement applies, before its conditions are asked. */
export interface StatementScope {
  readonly principal: ScopePart;
  readonly action: ScopePart;
  readonly resource: ScopePart;
}

/** The scope of a statement in Cedar's JSON form. What `is` asks of a type is left out: every principal is an agent. */
export function scopeOf(est: Json): StatementScope {
  const part = (name: string): ScopePart => scopePart(isJsonObject(est) ? est[name] : undefined);
  return { principal: part('principal'), action: part('action'), resource: part('resource') };
}

/** What a part of the scope names. */
export function entitiesNamed(part: ScopePart): readonly EntityId[] {
  if (part.kind === 'ANY') return [];
  return part.kind === 'IS' ? [part.entity] : part.entities;
}

function scopePart(given: Json | undefined): ScopePart {
  if (!isJsonObject(given)) return { kind: 'ANY' };
  // `is Type in Entity` holds the entity one level deeper.
  if (given['op'] === 'is') return isJsonObject(given['in']) ? inEntities(given['in']) : { kind: 'ANY' };
  if (given['op'] === 'in') return inEntities(given);
  const entity = given['op'] === '==' ? entityIn(given['entity']) : null;
  return entity === null ? { kind: 'ANY' } : { kind: 'IS', entity };
}

function inEntities({ entity, entities }: { readonly entity?: Json; readonly entities?: Json }): ScopePart {
  const given = Array.isArray(entities) ? entities : [entity];
  return { kind: 'IN', entities: given.flatMap((one) => entityIn(one) ?? []) };
}

/** Cedar writes an entity alone or as `{"__entity": …}`. */
function entityIn(given: Json | undefined): EntityId | null {
  if (!isJsonObject(given)) return null;
  const entity = isJsonObject(given['__entity']) ? given['__entity'] : given;
  const { type, id } = entity;
  return typeof type === 'string' && typeof id === 'string' ? { type, id } : null;
}
