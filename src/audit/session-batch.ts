import { z } from 'zod';
import { Failure, isPlain, isWellFormed } from '../kernel/index.js';
import { OWN_SOURCE } from './event.js';

/** What a producer sends of one session: some of its events, and in the last batch that these were all. */
export interface SessionBatch {
  readonly sessionId: string;
  /** CloudEvents, as they came. */
  readonly events: readonly unknown[];
  /** Whose report it is, when it says so. */
  readonly source: string | null;
  /** The producer's own id of the batch. */
  readonly batchId: string | null;
  /** Whether the source has now sent everything. */
  readonly isFinal: boolean;
  /** How many events it has sent in the session; says something in the final batch only. */
  readonly totalEventsSent: number | null;
}

const name = (longest: number) =>
  z
    .string('must be a string')
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .refine(isPlain, 'must not hold control characters')
    .refine(isWellFormed, 'must be well-formed Unicode');

const NO_TOTAL = `must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`;
const sessionId = name(200);
const source = name(500)
  .refine((text) => text !== OWN_SOURCE, `must not be ${OWN_SOURCE}: that is this service itself`)
  .nullish();
const batchId = name(200).nullish();
const totalEventsSent = z.number(NO_TOTAL).int(NO_TOTAL).nonnegative(NO_TOTAL).nullish();
const isFinal = z.boolean('must be true or false').nullish();

const Body = z.object({
  batch_id: batchId,
  events: z.array(z.unknown(), 'must be an array of CloudEvents'),
  final: isFinal,
  total_events_sent: totalEventsSent,
  source,
});

/**
 * Reads a batch in the shape that the platform's agent service sends.
 *
 * @throws Failure BAD_USER_INPUT naming the first member that is not acceptable.
 */
export function sessionBatchIn(session: string, body: unknown): SessionBatch {
  const id = accepted(z.object({ sessionId }), { sessionId: session }).sessionId;
  const batch = accepted(Body, body);
  return {
    sessionId: id,
    events: batch.events,
    source: batch.source ?? null,
    batchId: batch.batch_id ?? null,
    isFinal: batch.final ?? false,
    totalEventsSent: batch.total_events_sent ?? null,
  };
}

const Report = z.object({ sessionId, source, batchId, totalEventsSent, isFinal });

/**
 * The same from a GraphQL input.
 *
 * @throws Failure BAD_USER_INPUT naming the first field that is not acceptable.
 */
export function sessionBatchOf(events: readonly unknown[], report: object): SessionBatch {
  const given = accepted(Report, report, 'sessionReport.');
  return {
    sessionId: given.sessionId,
    events,
    source: given.source ?? null,
    batchId: given.batchId ?? null,
    isFinal: given.isFinal ?? false,
    totalEventsSent: given.totalEventsSent ?? null,
  };
}

function accepted<Schema extends z.ZodType>(schema: Schema, value: unknown, prefix = ''): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  throw new Failure('BAD_USER_INPUT', `${path === '' ? 'body' : prefix + path}: ${issue?.message ?? 'is not acceptable'}.`);
}
