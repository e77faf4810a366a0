import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from '../generated/prisma/client.js';
import type { Prisma } from '../generated/prisma/client.js';
import { Failure, type OrganizationId } from '../kernel/index.js';

/** Runs SQL: on any free connection, or inside one transaction. */
export interface Sql {
  /**
   * The rows of one statement. Values are bound, never spliced.
   *
   * @param name under which each connection keeps the statement parsed and planned: for one text that is executed all the time, and
   * whose plan does not depend on its values
   */
  query<Row>(text: string, values?: readonly unknown[], name?: string): Promise<readonly Row[]>;
}

/** SQL on behalf of one organization: row-level security lets it see and write no other's rows, whatever the statement says. */
export type SqlOf = (organizationId: OrganizationId) => Sql;

/** A connection of one's own. */
export type Session = pg.PoolClient;

/** The connection to Postgres: one pool under Prisma and under plain SQL. */
export interface Database {
  readonly of: SqlOf;
  /** The same for what is of use at once or not at all: a statement fails, and gives its connection up, when there is no word within a second. */
  readonly promptly: SqlOf;
  /** On behalf of nobody: of what belongs to organizations it sees nothing. For functions that cross them, and for what has none. */
  readonly sql: Sql;
  /** For `inTransaction`. */
  readonly prisma: Pick<PrismaClient, '$transaction'>;
  /** A connection of one's own, for what lives as long as a session does (advisory locks); it names nobody. The caller releases it. */
  session(): Promise<Session>;
  close(): Promise<void>;
}

/** The role that the service works as: it owns nothing and row-level security holds for it. Made by the migrations. */
export const APP_ROLE = 'agent_governance_app';

/** The setting by which a session names its organization; see the migration `tenants`. */
const ORGANIZATION_SETTING = 'governance.organization_id';

/** How long the database is waited for. */
export interface DatabaseLimits {
  /** For a free connection. */
  readonly connectMilliseconds: number;
  /** How long a statement may take, by the database's own clock. */
  readonly statementMilliseconds: number;
  /** For any word at all: ends what a database behind a broken network never answers. */
  readonly answerMilliseconds: number;
  /** The same of `Database.promptly`. */
  readonly promptMilliseconds: number;
  /** The role to work as. */
  readonly role: string;
}

const LIMITS: DatabaseLimits = {
  ...{ connectMilliseconds: 5_000, statementMilliseconds: 30_000, answerMilliseconds: 35_000, promptMilliseconds: 1_000 },
  role: APP_ROLE,
};

/**
 * A connection whose breaking ends no process, in whatever moment of its life that is. It is told to whoever waits for a statement, and to
 * the pool while it is idle; but between those, and while Postgres starts up and takes none, nobody would listen.
 */
class SafeClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', ignore);
  }
}

const ignore = (): void => undefined;

/**
 * Opens the pool. Connects when first used.
 *
 * What was answered is on disk, whatever the database's own default. A caller gets an error within a bounded time, and a transaction
 * that idles for 10 s is ended, so that no forgotten one holds the sequencer back. Every connection works as the role of the service,
 * for which row-level security holds, also when the login in `url` may do more.
 */
export function openDatabase(url: string, poolSize: number, limits: Partial<DatabaseLimits> = {}): Database {
  const { connectMilliseconds, statementMilliseconds, answerMilliseconds, promptMilliseconds, role } = { ...LIMITS, ...limits };
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    Client: SafeClient,
    connectionTimeoutMillis: connectMilliseconds,
    query_timeout: answerMilliseconds,
    options: `-c role=${role} -c statement_timeout=${statementMilliseconds} -c idle_in_transaction_session_timeout=10000 -c synchronous_commit=on -c timezone=UTC`,
    application_name: 'agent-governance',
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    of: (organizationId) => sqlFor(pool, organizationId),
    promptly: (organizationId) => sqlFor(pool, organizationId, promptMilliseconds),
    sql: sqlFor(pool, ''),
    prisma,
    session: () => nobodysSession(pool),
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

/** The organization that each connection has named last: naming it again would cost a round trip. */
const named = new WeakMap<Session, string>();

async function nobodysSession(pool: pg.Pool): Promise<Session> {
  const session = await pool.connect();
  if ((named.get(session) ?? '') === '') return session;
  // One that breaks meanwhile fails the statement too; without a listener it would end the process.
  session.on('error', ignore);
  try {
    await nameOrganization(session, '');
    return session;
  } catch (error) {
    session.release(true);
    throw error;
  } finally {
    session.off('error', ignore);
  }
}

async function nameOrganization(session: Session, organizationId: string, query_timeout?: number): Promise<void> {
  named.delete(session);
  const values = [ORGANIZATION_SETTING, organizationId];
  await session.query({ text: 'SELECT set_config($1, $2, false)', values, ...limitedTo(query_timeout) });
  named.set(session, organizationId);
}

const limitedTo = (query_timeout: number | undefined): { readonly query_timeout?: number } =>
  query_timeout === undefined ? {} : { query_timeout };

/** SQL on any free connection, which names the organization first unless it has; the empty one is nobody's. */
const sqlFor = (pool: pg.Pool, organizationId: string, answerMilliseconds?: number): Sql => ({
  async query<Row>(text: string, values: readonly unknown[] = [], name?: string) {
    const session = await pool.connect();
    let isUsable = false;
    // A connection that breaks fails its statement too; without a listener it would end the process.
    session.on('error', ignore);
    try {
      if ((named.get(session) ?? '') !== organizationId) await nameOrganization(session, organizationId, answerMilliseconds);
      const limit = limitedTo(answerMilliseconds);
      const { rows } = await session.query({ text, values: [...values], ...(name !== undefined && { name }), ...limit });
      isUsable = true;
      return rows as Row[];
    } finally {
      session.off('error', ignore);
      // What failed may have failed with its connection, or have left it naming nobody knows whom.
      session.release(!isUsable);
    }
  },
});

/** Plain SQL inside a Prisma transaction. */
export const sqlWithin = (tx: Prisma.TransactionClient): Sql => ({
  query: async <Row>(text: string, values: readonly unknown[] = []) => await tx.$queryRawUnsafe<Row[]>(text, ...values),
});

/** Runs `work` in one transaction on behalf of one organization: all of it happens, or nothing. */
export async function inTransaction<Result>(
  database: Pick<Database, 'prisma'>,
  organizationId: OrganizationId,
  work: (tx: Prisma.TransactionClient) => Promise<Result>,
  options: { readonly timeoutMilliseconds?: number } = {},
): Promise<Result> {
  return database.prisma.$transaction(
    async (tx) => {
      await tx.$queryRaw`SELECT set_config(${ORGANIZATION_SETTING}, ${organizationId}, true)`;
      return work(tx);
    },
    { maxWait: 5_000, timeout: options.timeoutMilliseconds ?? 10_000 },
  );
}

const OUTAGE_SQLSTATES = /^(08|53|57P|58|XX|25006|40001|40P01|25P03)/;
const OUTAGE_CODES = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|P1001|P1002|P1008|P1017|P2024|P2028|P2034)/;
const OUTAGE_MESSAGES =
  /connection terminated|query read timeout|timeout exceeded when trying to connect|client has encountered a connection error|can't reach database|Client was closed|Cannot use a pool after calling end/i;

/** The failure that a thrown database error means for a caller; null when it is a bug. */
export function databaseFailure(error: unknown): Failure | null {
  for (const { code, message } of causesOf(error)) {
    if (code === QUERY_CANCELED)
      return new Failure('UNAVAILABLE', 'The database took too long to answer. Ask for less, or try again later.', { cause: error });
    if (OUTAGE_SQLSTATES.test(code) || OUTAGE_CODES.test(code) || OUTAGE_MESSAGES.test(message))
      return new Failure('UNAVAILABLE', 'The database cannot be reached. Try again.', { cause: error });
    if (code === UNTRANSLATABLE)
      return new Failure('BAD_USER_INPUT', 'A value holds characters that cannot be stored, such as NUL.', { cause: error });
  }
  return null;
}

/** SQLSTATE of a statement that took longer than it may. */
const QUERY_CANCELED = '57014';

/** SQLSTATE of a text that Postgres has no form for. */
const UNTRANSLATABLE = '22021';

/** An error and what caused it, outermost first. Prisma keeps the driver's error in `meta`, as plain data. */
function* causesOf(error: unknown): Generator<{ readonly code: string; readonly message: string }> {
  for (let next = error, depth = 0; typeof next === 'object' && next !== null && depth < 6; depth += 1) {
    const { code, message, cause, meta }: { code?: unknown; message?: unknown; cause?: unknown; meta?: { driverAdapterError?: unknown } } =
      next;
    yield { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' };
    next = cause ?? meta?.driverAdapterError;
  }
}

/** Whether Postgres refused a statement for the values in it (SQLSTATE classes 22 and 23). */
export function isDataError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(22|23)/.test(error.code);
}

/**
 * The condition that an array of texts has an element among those of a bound array. Postgres looks each up in a hash of them;
 * an overlap of arrays (`&&`) would compare every one with every other.
 */
export const hasAnyOf = (array: string, bound: string): string =>
  `EXISTS (SELECT 1 FROM unnest(${array}) element (text) WHERE element.text = ANY(${bound}::text[]))`;

/** The rows of a statement over `unnest(…) WITH ORDINALITY AS wanted (id, place)`, one list for each of the `count` values, in their order. */
export function groupByPlace<Row extends { readonly place: bigint | string }>(
  rows: readonly Row[],
  count: number,
): readonly (readonly Row[])[] {
  const groups: Row[][] = Array.from({ length: count }, () => []);
  for (const row of rows) groups[Number(row.place) - 1]?.push(row);
  return groups;
}
