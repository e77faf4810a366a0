import { z } from 'zod';
import { isPlain, isWellFormed } from '../kernel/index.js';
import { DATA_CLASSES, ROLES } from './namespace.js';

/** The most rows that one push may hold, over all collections. */
export const MAX_PUSH_ROWS = 50_000;

// Control characters and lone surrogates cannot be stored, or would deceive a reader.
const NOT_PLAIN = 'must be well-formed Unicode without control characters';

const id = z
  .string()
  .min(1, 'must not be empty')
  .max(300, 'must have at most 300 characters')
  .refine((text) => isPlain(text) && isWellFormed(text), NOT_PLAIN);
const label = z
  .string()
  .max(255, 'must have at most 255 characters')
  .refine((text) => isPlain(text) && isWellFormed(text), NOT_PLAIN);

/** By name and by number. */
const CLASS_NUMBERS: ReadonlyMap<unknown, number> = new Map(
  DATA_CLASSES.flatMap((name, index): readonly (readonly [unknown, number])[] => [
    [name, index],
    [index, index],
  ]),
);

const dataClass = z
  .custom<string | number>((given) => CLASS_NUMBERS.has(given), `must be one of ${DATA_CLASSES.join(', ')}, or 0 to 3`)
  .transform((given) => CLASS_NUMBERS.get(given) ?? null)
  .nullable();

const timeZone = z.string().refine(isTimeZone, 'must be a name of the IANA time zone database, for example Europe/Berlin').nullable();

function isTimeZone(name: string): boolean {
  // What may stand for an offset, such as +01:00, knows no daylight saving, and no earlier release of Node.
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

export const NamespaceRow = z.union([
  z.object({ id, deleted: z.literal(true) }),
  z.object({
    id,
    kind: z.enum(['ORGANIZATION', 'GROUP', 'PROJECT']),
    parentId: id.nullable().default(null),
    path: label.min(1, 'must not be empty'),
    name: label.optional(),
    dataClass: dataClass.default(null),
    frozen: z.boolean().default(false),
    timeZone: timeZone.default(null),
    deleted: z.literal(false).default(false),
  }),
]);

export const MembershipRow = z.union([
  z.object({ namespaceId: id, userId: id, deleted: z.literal(true) }),
  z.object({ namespaceId: id, userId: id, role: z.enum(ROLES), deleted: z.literal(false).default(false) }),
]);

export const AgentRow = z.union([
  z.object({ id, deleted: z.literal(true) }),
  z.object({
    id,
    name: label.optional(),
    classes: z.array(label.min(1)).max(20).default([]),
    trust: z.number().int().min(0).max(100).default(0),
    ownerId: id.nullable().default(null),
    autonomous: z.boolean().default(false),
    deleted: z.literal(false).default(false),
  }),
]);

export const ServiceAccountRow = z.union([
  z.object({ userId: id, deleted: z.literal(true) }),
  z.object({ userId: id, ownerId: id.nullable().default(null), deleted: z.literal(false).default(false) }),
]);

export const UserRow = z.union([
  z.object({ id, deleted: z.literal(true) }),
  z.object({
    id,
    teams: z.array(label.min(1, 'must not be empty')).max(100, 'must hold at most 100').default([]),
    deleted: z.literal(false).default(false),
  }),
]);

/** A push: rows are judged one by one, so here only the frame counts. */
export const DirectoryPush = z
  .object({
    namespaces: z.array(z.unknown()).default([]),
    memberships: z.array(z.unknown()).default([]),
    agents: z.array(z.unknown()).default([]),
    serviceAccounts: z.array(z.unknown()).default([]),
    users: z.array(z.unknown()).default([]),
  })
  .strict()
  .refine(
    (push) => Object.values(push).reduce((sum, rows) => sum + rows.length, 0) <= MAX_PUSH_ROWS,
    `must hold at most ${MAX_PUSH_ROWS.toLocaleString('en')} rows in all; send the rest in another request`,
  );
export type DirectoryPush = z.infer<typeof DirectoryPush>;

export type Collection = 'namespaces' | 'memberships' | 'agents' | 'serviceAccounts' | 'users';

/** Why one row was refused. The others are taken all the same. */
export interface RowError {
  readonly collection: Collection;
  /** Place in the collection, from 0. */
  readonly index: number;
  /** The field at fault; empty for the row as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface RowCounts {
  readonly received: number;
  readonly created: number;
  /** Rows that changed, those below a moved namespace included. */
  readonly updated: number;
  /** Rows that were there already, exactly so. */
  readonly unchanged: number;
  /** Rows that went, those below a deleted namespace included. */
  readonly deleted: number;
  readonly rejected: number;
}

export interface PushOutcome extends Readonly<Record<Collection, RowCounts>> {
  readonly errors: readonly RowError[];
}
