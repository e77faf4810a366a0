import { randomUUID } from 'node:crypto';
import { organizationId as toOrganizationId, type OrganizationId } from '../../kernel/index.js';
import type { Database, Session, Sql, SqlOf } from '../../platform/postgres.js';
import { RETENTION_CLASSES } from '../catalogue.js';
import type {
  MonthOutcome,
  ProjectedKind,
  ProjectedSwept,
  ProjectedSweepRequest,
  RetentionSeat,
  RetentionSeats,
  Swept,
  Sweeping,
  SweepRequest,
} from '../retention/ports.js';
import { DAYS_RULES, DECISION_TYPES } from '../retention/rules.js';
import { toDrop, type DropRow } from './retention-rows.js';
import { monthsIn } from './retention.js';

/** The advisory lock that is the seat of retention. */
const SEAT_LOCK = 7_270_736_904n;

/** How long the seat waits for a leader that says nothing: between two statements it only records what it dropped. */
const SILENT_SECONDS = 60;
/** How long looking through a whole month may take. */
const MONTH_MILLISECONDS = 600_000;
const MAX_KEYS = 5_000;

/** What the functions of the migration are told of the rules; the settings and holds they read themselves. */
const RULES = JSON.stringify({
  decisionTypes: DECISION_TYPES,
  defaultDays: Object.fromEntries(RETENTION_CLASSES.map((each) => [each, DAYS_RULES[each].defaultDays])),
});

/** Drops over any connection that names the organization. */
export const postgresSweeping = (of: SqlOf): Sweeping => ({
  sweep: (organizationId, request) => sweep(of(organizationId), organizationId, request),
  sweepProjected: (organizationId, request) => sweepProjected(of(organizationId), organizationId, request),
  recount: (organizationId) => recount(of(organizationId), organizationId),
  skipGone: (organizationId) => skipGone(of(organizationId), organizationId),
});

async function sweep(sql: Sql, organizationId: OrganizationId, { run, kind, range, after, maxExamined }: SweepRequest): Promise<Swept> {
  const [row] = await sql.query<{ swept: { examined: number; lastId: string | null; drops: readonly DropRow[] } }>(
    'SELECT retention_sweep($1::uuid, $2, $3, $4::json, $5::timestamptz, $6::timestamptz, $7::timestamptz, $8::uuid, $9::int, $10::boolean) AS swept',
    [run.id, organizationId, kind, RULES, run.asOf, range.since, range.until, after, maxExamined, run.isDryRun],
  );
  if (row === undefined) throw new Error('A sweep gave no answer.');
  return { ...row.swept, drops: row.swept.drops.map(toDrop) };
}

/** An open call is named by the id of its decision, a session by `{startedAt, id}`. */
const PROJECTED_SWEEPS: Readonly<Record<ProjectedKind, string>> = {
  OPEN_CALLS:
    'retention_sweep_calls($1::uuid, $2, $3::json, $4::timestamptz, $5::timestamptz, $6::timestamptz, $7::uuid, $8::int, $9::boolean)',
  SESSIONS:
    'retention_sweep_sessions($1::uuid, $2, $3::json, $4::timestamptz, $5::timestamptz, $6::timestamptz, $7::json, $8::int, $9::boolean)',
};

async function sweepProjected(
  sql: Sql,
  organizationId: OrganizationId,
  { run, kind, range, after, maxExamined }: ProjectedSweepRequest,
): Promise<ProjectedSwept> {
  const [row] = await sql.query<{ dropped: number; next: string | null }>(
    `SELECT (swept ->> 'dropped')::int AS dropped, swept ->> 'next' AS next FROM ${PROJECTED_SWEEPS[kind]} AS swept`,
    [run.id, organizationId, RULES, run.asOf, range.since, range.until, after, maxExamined, run.isDryRun],
  );
  if (row === undefined) throw new Error('A sweep gave no answer.');
  return row;
}

async function recount(sql: Sql, organizationId: OrganizationId): Promise<boolean> {
  const [row] = await sql.query<{ has_more: boolean }>('SELECT audit_recount_step($1) AS has_more', [organizationId]);
  return row?.has_more === true;
}

async function skipGone(sql: Sql, organizationId: OrganizationId): Promise<void> {
  await sql.query('SELECT log_skip_gone($1)::text', [organizationId]);
}

/** The seat in Postgres: a lock that lives as long as its connection, on which everything is done that drops. */
export const postgresRetentionSeats = (database: Pick<Database, 'sql' | 'session'>, silentSeconds = SILENT_SECONDS): RetentionSeats => ({
  async takeIfDue(intervalMinutes, leader) {
    if ((await database.sql.query(DUE, [intervalMinutes])).length === 0) return null;
    const session = await database.session();
    // A broken connection is noticed by the next statement on it; without a listener it would end the process.
    const ignore = (): void => undefined;
    session.on('error', ignore);
    let isReleased = false;
    // Its settings and its lock must not come back into the pool.
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      session.off('error', ignore);
      session.release(true);
    };
    try {
      const asOf = await taken(session, { intervalMinutes, leader, silentSeconds });
      if (asOf !== null) return seatOn(session, asOf, release);
      release();
      return null;
    } catch (error) {
      release();
      throw error;
    }
  },
});

// One that was not finished is due: its leader is gone, or the lock would not be to be had.
const IS_DUE = '(finished_at IS NULL OR started_at IS NULL OR started_at <= clock_timestamp() - make_interval(mins => $1::int))';
const DUE = `SELECT 1 FROM retention_cycle WHERE id = 1 AND ${IS_DUE}`;

interface Candidacy {
  readonly intervalMinutes: number;
  readonly leader: string;
  readonly silentSeconds: number;
}

/** The moment since which this session has the seat; null when it has not. */
async function taken(session: Session, { intervalMinutes, leader, silentSeconds }: Candidacy): Promise<Date | null> {
  const { rows } = await session.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [SEAT_LOCK]);
  if (rows[0]?.taken !== true) return null;
  await session.query("SELECT set_config('idle_session_timeout', $1, false), set_config('statement_timeout', $2, false)", [
    `${silentSeconds}s`,
    `${MONTH_MILLISECONDS}`,
  ]);
  // Somebody may have been done with it since it was looked at.
  const { rows: begun } = await session.query<{ started_at: Date }>(
    `UPDATE retention_cycle SET started_at = clock_timestamp(), finished_at = NULL, leader = $2 WHERE id = 1 AND ${IS_DUE} RETURNING started_at`,
    [intervalMinutes, leader],
  );
  return begun[0]?.started_at ?? null;
}

function seatOn(session: Session, asOf: Date, release: () => void): RetentionSeat {
  const runId = randomUUID();
  const sql: Sql = {
    async query<Row>(text: string, values: readonly unknown[] = []) {
      // The pool would give up on a whole month much earlier.
      const statement = { text, values: [...values], query_timeout: MONTH_MILLISECONDS };
      const { rows } = await session.query(statement);
      return rows as Row[];
    },
  };
  const busy = async <Outcome>(work: () => Promise<Outcome>): Promise<Outcome | 'BUSY'> => {
    try {
      return await work();
    } catch (error) {
      if (isLockTimeout(error)) return 'BUSY';
      throw error;
    }
  };
  const outcomeOf = async <Outcome>(text: string, values: readonly unknown[]): Promise<Outcome> => {
    const [row] = await sql.query<{ outcome: Outcome }>(text, values);
    if (row === undefined) throw new Error('Retention gave no answer.');
    return row.outcome;
  };
  return {
    runId,
    asOf,
    sweep: (organizationId, request) => sweep(sql, organizationId, request),
    sweepProjected: (organizationId, request) => sweepProjected(sql, organizationId, request),
    recount: (organizationId) => recount(sql, organizationId),
    skipGone: (organizationId) => skipGone(sql, organizationId),
    async organizations() {
      return (await sql.query<{ id: string }>('SELECT retention_organizations() AS id')).map(({ id }) => toOrganizationId(id));
    },
    async makeMonth(firstDay) {
      await sql.query('SELECT audit_event_partition_ensure($1::text::date)::text', [firstDay]);
    },
    months: () => monthsIn(sql),
    dropMonth: (firstDay, kind) =>
      busy(() =>
        outcomeOf<MonthOutcome>('SELECT retention_drop_month($1::uuid, $2::text::date, $3, $4::json, $5::timestamptz) AS outcome', [
          runId,
          firstDay,
          kind,
          RULES,
          asOf,
        ]),
      ),
    removeMonth: (firstDay) =>
      busy(async () => {
        for (;;) {
          const outcome = await outcomeOf<'MORE' | 'REMOVED' | 'KEPT'>(
            'SELECT retention_remove_month($1::text::date, $2::int) AS outcome',
            [firstDay, MAX_KEYS],
          );
          if (outcome !== 'MORE') return outcome;
        }
      }),
    async requireHeld() {
      await sql.query('SELECT 1');
    },
    async finish() {
      await sql.query('UPDATE retention_cycle SET finished_at = clock_timestamp() WHERE id = 1');
    },
    leave: async () => release(),
  };
}

/** SQLSTATE of a lock that was not to be had in time. */
const isLockTimeout = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '55P03';
