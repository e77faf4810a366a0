import type { Prisma } from '../../generated/prisma/client.js';
import { groupByPlace, hasAnyOf, sqlWithin, type Sql, type SqlOf } from '../../platform/postgres.js';
import type { OrganizationId } from '../../kernel/index.js';
import type { Backtest, BacktestDemand, BacktestStatus, Baseline, Report } from '../backtest/backtest.js';
import type { Backtests, BacktestWriter } from '../backtest/ports.js';
import type { Change, ChangedCall } from '../backtest/tally.js';
import type { ReviewSubject } from '../policy.js';
import { COUNTS, STARTED } from './times.js';

/** How many calls are stored by one statement. */
const CALLS_AT_ONCE = 5_000;

interface BacktestRow {
  readonly id: string;
  readonly policy_id: string;
  readonly namespace_id: string;
  readonly subject: string;
  readonly digest: string;
  readonly baseline: string;
  readonly range_from: Date;
  readonly range_to: Date;
  readonly is_filtered: boolean;
  readonly status: string;
  readonly problem: string | null;
  readonly started_at: Date;
  readonly started_by: string;
  readonly progress_at: Date;
  readonly progress: number;
  readonly examined: bigint | string;
  readonly finished_at: Date | null;
  readonly report: string | null;
  readonly report_digest: string | null;
}

const COLUMNS =
  'b.id, b.policy_id, b.namespace_id, b.subject, b.digest, b.baseline, b.range_from, b.range_to, b.is_filtered, b.status, b.problem, b.started_at, b.started_by, b.progress_at, b.progress, b.examined, b.finished_at, b.report::text AS report, b.report_digest';

const toBacktest = (row: BacktestRow): Backtest => ({
  id: row.id,
  policyId: row.policy_id,
  namespaceId: row.namespace_id,
  subject: row.subject as ReviewSubject,
  digest: row.digest,
  baseline: row.baseline as Baseline,
  from: row.range_from,
  to: row.range_to,
  isFiltered: row.is_filtered,
  status: row.status as BacktestStatus,
  problem: row.problem,
  startedAt: row.started_at,
  startedBy: row.started_by,
  progressAt: row.progress_at,
  progress: row.progress,
  examined: Number(row.examined),
  finishedAt: row.finished_at,
  report: row.report === null ? null : (JSON.parse(row.report) as Report),
  reportDigest: row.report_digest,
});

interface CallRow {
  readonly event_id: string;
  readonly change: string;
  readonly before: string;
  readonly after: string;
  readonly agent_id: string;
  readonly tool: string;
  readonly project_id: string;
  readonly policy_ids: readonly string[];
}

const toCall = (row: CallRow): ChangedCall => ({
  eventId: row.event_id,
  change: row.change as Change,
  before: row.before as ChangedCall['before'],
  after: row.after as ChangedCall['after'],
  agentId: row.agent_id,
  tool: row.tool,
  projectId: row.project_id,
  policyIds: row.policy_ids,
});

/** Backtests for readers. */
export const postgresBacktests = (of: SqlOf): Backtests => ({
  async byIds(organizationId, ids) {
    const rows = await of(organizationId).query<BacktestRow>(
      `SELECT ${COLUMNS} FROM policy_backtest b WHERE b.organization_id = $1 AND b.id = ANY($2::uuid[])`,
      [organizationId, ids],
    );
    return rows.map(toBacktest);
  },

  async list(organizationId, policyIds, { first, after }) {
    const rows = await of(organizationId).query<BacktestRow & { place: string }>(
      `SELECT wanted.place, b.* FROM unnest($2::uuid[]) WITH ORDINALITY AS wanted (id, place),
       LATERAL (
         SELECT ${COLUMNS} FROM policy_backtest b
         WHERE b.organization_id = $1 AND b.policy_id = wanted.id AND ($3::text IS NULL OR (b.started_at, b.id) < (
           SELECT last.started_at, last.id FROM policy_backtest last WHERE last.id = $3::uuid))
         ORDER BY b.started_at DESC, b.id DESC LIMIT $4
       ) b ORDER BY wanted.place, b.started_at DESC, b.id DESC`,
      [organizationId, policyIds, after, first + 1],
    );
    return groupByPlace(rows, policyIds.length).map((own) => own.map(toBacktest));
  },

  async calls(organizationId, backtestId, { change, agentId, tool, projectId, policyId }, { first, after }) {
    const rows = await of(organizationId).query<CallRow>(
      `SELECT c.event_id, c.change, c.before, c.after, c.agent_id, c.tool, c.project_id, c.policy_ids::text[] AS policy_ids
       FROM policy_backtest_call c
       WHERE c.organization_id = $1 AND c.backtest_id = $2::uuid AND ($3::text IS NULL OR c.change = $3)
         AND ($4::text IS NULL OR c.agent_id = $4) AND ($5::text IS NULL OR c.tool = $5) AND ($6::text IS NULL OR c.project_id = $6)
         AND ($7::text IS NULL OR c.policy_ids @> ARRAY[$7::uuid]) AND ($8::text IS NULL OR c.event_id > $8::uuid)
       ORDER BY c.event_id LIMIT $9`,
      [organizationId, backtestId, change, agentId, tool, projectId, policyId, after, first + 1],
    );
    return rows.map(toCall);
  },

  async advance(organizationId, backtestId, { progress, progressAt, examined }) {
    const rows = await of(organizationId).query(
      `UPDATE policy_backtest SET progress = $3, progress_at = $4::timestamptz, examined = $5
       WHERE organization_id = $1 AND id = $2::uuid AND status = 'RUNNING' RETURNING id`,
      [organizationId, backtestId, progress, progressAt.toISOString(), examined],
    );
    return rows.length > 0;
  },

  demands: async (organizationId, namespaceIds) => readDemands(of(organizationId), organizationId, namespaceIds),
});

interface DemandRow {
  readonly namespace_id: string;
  readonly days: number;
  readonly max_newly_denied: number | null;
  readonly max_newly_asked: number | null;
  readonly max_newly_allowed: number | null;
}

async function readDemands(
  sql: Sql,
  organizationId: OrganizationId,
  namespaceIds: readonly string[],
): Promise<ReadonlyMap<string, BacktestDemand>> {
  const rows = await sql.query<DemandRow>(
    `SELECT namespace_id, days, max_newly_denied, max_newly_asked, max_newly_allowed FROM policy_backtest_demand
     WHERE organization_id = $1 AND namespace_id = ANY($2::text[])`,
    [organizationId, namespaceIds],
  );
  const byId = new Map(rows.map((row) => [row.namespace_id, toDemand(row)]));
  return new Map(namespaceIds.flatMap((id) => [byId.get(id)].flatMap((demand) => (demand === undefined ? [] : [[id, demand] as const]))));
}

const toDemand = (row: DemandRow): BacktestDemand => ({
  days: row.days,
  maxNewlyDenied: row.max_newly_denied,
  maxNewlyAsked: row.max_newly_asked,
  maxNewlyAllowed: row.max_newly_allowed,
});

/** Backtests inside one open transaction. */
export const postgresBacktestWriter = (tx: Prisma.TransactionClient): BacktestWriter => {
  const sql = sqlWithin(tx);
  return {
    async insert(organizationId, { from, to, report: _, ...backtest }, kept) {
      await tx.policyBacktest.create({ data: { organizationId, rangeFrom: from, rangeTo: to, ...backtest } });
      await sql.query(
        `DELETE FROM policy_backtest WHERE id IN (
           SELECT id FROM policy_backtest WHERE organization_id = $1 AND policy_id = $2::uuid ORDER BY started_at DESC, id DESC OFFSET $3
         ) AND status <> 'RUNNING' AND NOT EXISTS (SELECT 1 FROM policy_revision r WHERE r.backtest_digest = policy_backtest.report_digest)`,
        [organizationId, backtest.policyId, kept],
      );
    },

    async finish(organizationId, backtestId, { status, at, problem, report, reportDigest }) {
      const rows = await sql.query(
        `UPDATE policy_backtest SET status = $3, finished_at = $4::timestamptz, progress_at = $4::timestamptz, problem = $5,
           report = $6::json, report_digest = $7
         WHERE organization_id = $1 AND id = $2::uuid AND status = 'RUNNING' RETURNING id::text`,
        [organizationId, backtestId, status, at.toISOString(), problem, report === null ? null : JSON.stringify(report), reportDigest],
      );
      return rows.length > 0;
    },

    async addCalls(organizationId, backtestId, calls) {
      for (let first = 0; first < calls.length; first += CALLS_AT_ONCE)
        await sql.query(
          `INSERT INTO policy_backtest_call (organization_id, backtest_id, event_id, change, before, after, agent_id, tool, project_id, policy_ids)
           SELECT $1, $2::uuid, "eventId", change, before, after, "agentId", tool, "projectId", "policyIds"
           FROM json_to_recordset($3::json) AS call ("eventId" uuid, change text, before text, after text, "agentId" text, tool text,
             "projectId" text, "policyIds" uuid[])`,
          [organizationId, backtestId, JSON.stringify(calls.slice(first, first + CALLS_AT_ONCE))],
        );
    },

    async reportsOn(organizationId, policyId, subject, digest) {
      const rows = await sql.query<BacktestRow>(
        `SELECT ${COLUMNS} FROM policy_backtest b
         WHERE b.organization_id = $1 AND b.policy_id = $2::uuid AND b.subject = $3 AND b.digest = $4 AND b.status = 'DONE'
           AND b.baseline = 'IN_FORCE' AND NOT b.is_filtered ORDER BY b.finished_at DESC`,
        [organizationId, policyId, subject, digest],
      );
      return rows.map(toBacktest);
    },

    async comeAlone(organizationId) {
      await sql.query("SELECT pg_advisory_xact_lock(hashtextextended($1 || ' backtested changes', 0))::text", [organizationId]);
    },

    async enforcedBeside(organizationId, { policyId, line, now }) {
      const rows = await sql.query<{ name: string }>(
        `SELECT p.id || '/' || r.revision AS name FROM policy p JOIN policy_revision r ON r.policy_id = p.id
         WHERE p.organization_id = $1 AND p.status = 'PUBLISHED' AND r.mode = 'ENFORCE' AND ${COUNTS('$2')} AND ${STARTED('$2')}
           AND p.id <> $3::uuid AND (p.namespace_id = ANY($4::text[]) OR p.namespace_id IN (
             SELECT n.id FROM namespace n WHERE n.organization_id = $1 AND ${hasAnyOf('n.ancestors', '$5')}))`,
        [organizationId, now.toISOString(), policyId, line, line.slice(-1)],
      );
      return rows.map(({ name }) => name);
    },

    async demands(organizationId, line) {
      // Who sets it meanwhile waits, so that no publish without a backtest comes behind the record that one is needed.
      await sql.query(`SELECT pg_advisory_xact_lock_shared(${DEMAND_LOCK})::text`, [organizationId]);
      return readDemands(sql, organizationId, line);
    },

    async demand(organizationId, namespaceId, demand, { at, userId }) {
      await sql.query(`SELECT pg_advisory_xact_lock(${DEMAND_LOCK})::text`, [organizationId]);
      const before = (await readDemands(sql, organizationId, [namespaceId])).get(namespaceId) ?? null;
      if (JSON.stringify(before) === JSON.stringify(demand)) return false;
      await tx.policyBacktestDemand.deleteMany({ where: { organizationId, namespaceId } });
      if (demand !== null)
        await tx.policyBacktestDemand.create({ data: { organizationId, namespaceId, ...demand, setAt: at, setBy: userId } });
      return true;
    },
  };
};

const DEMAND_LOCK = "hashtextextended($1 || ' policy backtests', 0)";
