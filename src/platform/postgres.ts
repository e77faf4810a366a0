import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/prisma/client.js';
import type { Prisma } from '../generated/prisma/client.js';
import { Failure } from '../kernel/index.js';

/** Runs SQL: on any free connection, or inside one transaction. */
export interface Sql {
  /** The rows of one statement. Values are bound, never spliced. */
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** A connection of one's own. */
export type Session = pg.PoolClient;

/** The connection to Postgres: one pool under Prisma and under plain SQL. */
export interface Database {
  readonly prisma: PrismaClient;
  readonly sql: Sql;
  /** A connection of the caller's own, for what lives as long as a session does (advisory locks). The caller releases it. */
  session(): Promise<Session>;
  close(): Promise<void>;
}

/**
 * Opens the pool. Connects when first used.
 *
 * A statement may take 30 s, a transaction may idle for 10 s, a free connection is waited for 5 s: a caller gets an error
 * within a bounded time, and no forgotten transaction holds the sequencer back.
 */
export function openDatabase(url: string, poolSize: number): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: 5_000,
    options: '-c statement_timeout=30000 -c idle_in_transaction_session_timeout=10000 -c timezone=UTC',
    application_name: 'agent-governance',
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    prisma,
    sql: {
      query: async <Row>(text: string, values: readonly unknown[] = []) => (await pool.query(text, [...values])).rows as Row[],
    },
    session: () => pool.connect(),
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/** Plain SQL inside a Prisma transaction. */
export const sqlWithin = (tx: Prisma.TransactionClient): Sql => ({
  query: async <Row>(text: string, values: readonly unknown[] = []) => await tx.$queryRawUnsafe<Row[]>(text, ...values),
});

/** Runs `work` in one transaction: all of it happens, or nothing. */
export async function inTransaction<Result>(
  database: Database,
  work: (tx: Prisma.TransactionClient) => Promise<Result>,
  options: { readonly timeoutMilliseconds?: number } = {},
): Promise<Result> {
  return database.prisma.$transaction(work, { maxWait: 5_000, timeout: options.timeoutMilliseconds ?? 10_000 });
}

const OUTAGE_SQLSTATES = /^(08|53|57P|58|XX|25006|40001|40P01|57014|25P03)/;
const OUTAGE_CODES = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|P1001|P1002|P1008|P1017|P2024|P2028|P2034)/;
const OUTAGE_MESSAGES = /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error|can't reach database|Client was closed|Cannot use a pool after calling end/i;

/** The failure that a thrown database error means for a caller; null when it is no outage but a bug. */
export function databaseOutage(error: unknown): Failure | null {
  for (let next: unknown = error, depth = 0; next instanceof Error && depth < 5; next = next.cause, depth += 1) {
    const code = 'code' in next && typeof next.code === 'string' ? next.code : '';
    if (OUTAGE_SQLSTATES.test(code) || OUTAGE_CODES.test(code) || OUTAGE_MESSAGES.test(next.message)) {
      return new Failure('UNAVAILABLE', 'The database cannot be reached. Try again.', { cause: error });
    }
  }
  return null;
}

/** Whether Postgres refused a statement for the values in it (SQLSTATE classes 22 and 23). */
export function isDataError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(22|23)/.test(error.code);
}
