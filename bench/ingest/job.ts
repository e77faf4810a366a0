import { z } from 'zod';

/** What the process that sends is asked to do. Everything is made ready before the clock starts. */
export const Job = z.discriminatedUnion('kind', [
  /** `clients` connections post `events` new events in all, in batches. */
  z.object({
    kind: z.literal('batches'),
    url: z.string(),
    token: z.string(),
    clients: z.number(),
    events: z.number(),
    batchEvents: z.number(),
    firstEvent: z.number(),
  }),
  /** The same with one event a request. */
  z.object({
    kind: z.literal('singles'),
    url: z.string(),
    token: z.string(),
    clients: z.number(),
    events: z.number(),
    firstEvent: z.number(),
  }),
  /** `clients` connections post `requests` bodies in turn, each of which is about `units` things; each answer must hold `expected`. */
  z.object({
    kind: z.literal('posts'),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    clients: z.number(),
    requests: z.number(),
    bodies: z.array(z.string()),
    units: z.number(),
    expected: z.string(),
  }),
  /**
   * `connections` copy the newest `rows` events into one table without an index, with a commit after each batch; `times` over, so that
   * it takes long enough to be timed.
   */
  z.object({
    kind: z.literal('copy'),
    databaseUrl: z.string(),
    connections: z.number(),
    rows: z.number(),
    batchRows: z.number(),
    times: z.number(),
  }),
  /** `connections` insert the newest `rows` events into one table, with a commit after each row. */
  z.object({
    kind: z.literal('inserts'),
    databaseUrl: z.string(),
    connections: z.number(),
    rows: z.number(),
    indexes: z.enum(['primaryKey', 'asTheLog']),
  }),
]);
export type Job = z.infer<typeof Job>;

/** What came of a job, by the clock of the process that did it. */
export const Outcome = z.object({
  /** Events or rows. */
  count: z.number(),
  seconds: z.number(),
  /** Of one request, or of one commit. */
  p50Milliseconds: z.number(),
  p99Milliseconds: z.number(),
});
export type Outcome = z.infer<typeof Outcome>;

/** What the process that sends says. */
export const Word = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('begun') }),
  z.object({ kind: z.literal('advanced'), count: z.number() }),
  z.object({ kind: z.literal('done'), outcome: Outcome }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
export type Word = z.infer<typeof Word>;

/** A job that is ready to run. */
export interface Ready {
  /** Rows or events in all, cut into pieces that `clients` workers take one after the other. */
  readonly clients: number;
  /** Does the next piece; how many rows or events it had, 0 when none is left. */
  next(client: number): Promise<number>;
  /** Closes what was opened. */
  end(): Promise<void>;
}
