import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPostgres } from '../local/postgres.js';
import { eventOf, seal, sealContent, type Append, type NewEvent } from '../src/audit/index.js';
import { postgresAuditLog } from '../src/audit/postgres.js';
import { postgresProjection } from '../src/audit/postgres/projection.js';
import { postgresRetentionSeats, postgresSweeping } from '../src/audit/postgres/retention-sweeping.js';
import { postgresRetentionTransaction } from '../src/audit/postgres/retention-changes.js';
import { postgresRetentionRuns } from '../src/audit/postgres/retention-runs.js';
import { runRetention, type Running } from '../src/audit/retention/run-retention.js';
import { organizationId } from '../src/kernel/index.js';
import { postgresLogReader } from '../src/log/postgres.js';
import { inTransaction, openDatabase, type Database } from '../src/platform/postgres.js';
import { migrate } from '../src/platform/postgres-migrate.js';

export const summary = 'retention: a month of a million events dropped whole; 200,000 events dropped in batches while others are stored';

const MONTH_EVENTS = 1_000_000;
const BATCH_EVENTS = 200_000;
const organization = organizationId('bench');
const other = organizationId('bench-other');

export async function run(args: readonly string[]): Promise<void> {
  const [events = MONTH_EVENTS, rows = BATCH_EVENTS] = args.map(Number);
  const folder = await mkdtemp(join(tmpdir(), 'agent-governance-bench-'));
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), port: 0 });
  await migrate(postgres.url);
  const database = openDatabase(postgres.url, 12, { statementMilliseconds: 600_000, answerMilliseconds: 600_000 });
  const owner = openDatabase(postgres.url, 2, { role: 'none', statementMilliseconds: 600_000, answerMilliseconds: 600_000 });
  try {
    console.log(
      JSON.stringify({ bench: 'retention', ...(await wholeMonth(database, owner, events)), ...(await inBatches(database, owner, rows)) }),
    );
  } finally {
    await database.close();
    await owner.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Puts `count` events of two organizations, half of them with content, into a month that lies three years back. */
async function fill(owner: Database, month: string, count: number): Promise<void> {
  await owner.sql.query('SELECT audit_event_partition_ensure($1::text::date)::text', [month]);
  for (let start = 0; start < count; start += 100_000) {
    await owner.sql.query(
      `WITH made AS (
         SELECT n, (lpad(to_hex((extract(epoch FROM $1::text::date) * 1000)::bigint + n * 2000), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5($1::text || n), 1, 15))::uuid AS id,
           CASE WHEN n % 5 = 0 THEN '${other}' ELSE '${organization}' END AS organization_id
         FROM generate_series($2::int, $3::int) n
       ), events AS (
         INSERT INTO audit_event (id, organization_id, type, namespace_id, project_id, user_id, agent_id, session_id, tool, salt, seal, bytes, json,
           organization_key, namespace_key, tool_key, user_key, agent_key, session_key)
         SELECT id, organization_id, CASE WHEN n % 4 = 0 THEN 'ai_tool_decision_made' ELSE 'ai_tool_invoked' END, 'project-' || n % 50, 'project-' || n % 50, 'user-' || n % 300,
           'agent-' || n % 500, 'session-' || n / 40, 'read_file', '\\x00'::bytea, sha256(convert_to(n::text, 'UTF8')), 700, json_build_object('id', id, 'occurredAt', to_char(uuid_v7_time(id) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'source', '/bench', 'text', repeat('x', 600)),
           hashtextextended(organization_id, 0), n % 50, n % 50, n % 300, n % 500, n / 40 FROM made
       ), contents AS (
         INSERT INTO audit_event_content (event_id, organization_id, organization_key, salt, json) SELECT id, organization_id, hashtextextended(organization_id, 0), '\\x00'::bytea, json_build_object('prompt', repeat('y', 400)) FROM made WHERE n % 2 = 0
       )
       SELECT 1`,
      [month, start, Math.min(count, start + 100_000) - 1],
    );
  }
  await owner.sql.query(
    `INSERT INTO log_entry (organization_id, position, event_id, seal)
     SELECT organization_id, coalesce((SELECT size FROM log_head h WHERE h.organization_id = e.organization_id), 0) + row_number() OVER (PARTITION BY organization_id ORDER BY id) - 1, id, seal
     FROM audit_event e WHERE id >= uuid_v7_floor($1::text::date) AND id < uuid_v7_floor($1::text::date + interval '1 month')`,
    [month],
  );
  await owner.sql.query(
    'INSERT INTO log_head (organization_id, size) SELECT organization_id, max(position) + 1 FROM log_entry GROUP BY 1 ON CONFLICT (organization_id) DO UPDATE SET size = excluded.size',
  );
  await owner.sql.query('UPDATE log_sequencer SET (xid, seq) = (SELECT xid, seq FROM audit_event ORDER BY xid DESC, seq DESC LIMIT 1)');
  const projection = postgresProjection(owner.sql);
  while (await projection.isBehind()) await projection.step(5_000);
  await owner.sql.query('VACUUM ANALYZE');
}

/** What others wait for while `work` runs: the longest look at the newest events, and how the storing of 500 events goes. */
async function besides<Result>(database: Database, work: () => Promise<Result>) {
  const log = postgresAuditLog(database.of, new Set());
  let isOver = false;
  const stored: number[] = [];
  const reads: number[] = [];
  const timed = async (times: number[], step: () => Promise<unknown>): Promise<void> => {
    const start = performance.now();
    await step();
    times.push(performance.now() - start);
  };
  const storing = (async () => {
    while (!isOver) await timed(stored, () => log.append(other, newEvents()));
  })();
  const reading = (async () => {
    while (!isOver) {
      await timed(reads, () =>
        database
          .of(other)
          .query(
            'SELECT json::text FROM audit_event WHERE organization_key = hashtextextended($1, 0) AND organization_id = $1 ORDER BY id DESC LIMIT 50',
            [other],
          ),
      );
      await delay(5);
    }
  })();
  await delay(100);
  const start = performance.now();
  const result = await work();
  const milliseconds = performance.now() - start;
  isOver = true;
  await Promise.all([storing, reading]);
  return { result, milliseconds, stored, reads, eventsPerSecond: (stored.length * 500) / (milliseconds / 1_000) };
}

const newEvents = (): readonly Append[] =>
  Array.from({ length: 500 }, () => {
    const now = new Date();
    const content = sealContent({ prompt: 'y'.repeat(300) });
    const data = { text: 'x'.repeat(300) };
    const event: NewEvent = {
      ...{ type: 'ai_tool_invoked', source: '/bench', sourceId: randomUUID(), occurredAt: now.toISOString(), projectId: 'project-1' },
      ...{ userId: 'user-1', agentId: 'agent-1', sessionId: 'session-1', callId: null, tool: 'read_file', verdict: null, outcome: null },
      data,
    };
    return { sealed: seal(eventOf(other, now, event, event, content), content), key: null };
  });

const round = (value: number): number => Math.round(value * 10) / 10;
const percentile = (times: readonly number[], share: number): number =>
  round([...times].sort((a, b) => a - b)[Math.floor((times.length - 1) * share)] ?? 0);

function running(database: Database): Running {
  return {
    runs: postgresRetentionRuns(database.of),
    humans: { owners: async () => new Map() },
    clock: () => new Date(),
    atomically: (id, work) => inTransaction(database, id, (tx) => work(postgresRetentionTransaction(tx))),
    announceStored: () => undefined,
    explain: String,
    maxExamined: Number(process.env['BENCH_BATCH'] ?? 2_000),
  };
}

async function wholeMonth(database: Database, owner: Database, events: number): Promise<object> {
  await fill(owner, '2023-03-01', events);
  await fill(owner, '2023-04-01', 1_000);
  const quiet = await besides(database, () => delay(3_000));
  const seat = await postgresRetentionSeats(database).takeIfDue(60, 'bench');
  if (seat === null) throw new Error('The seat is taken.');
  const done = await besides(database, async () => {
    const outcomes = [await seat.dropMonth('2023-03-01', 'CONTENT'), await seat.dropMonth('2023-03-01', 'EVENTS')];
    return [...outcomes, await seat.removeMonth('2023-03-01')];
  });
  const counting = performance.now();
  for (const id of await seat.organizations()) {
    while (await seat.recount(id));
    await seat.skipGone(id);
  }
  const recountMs = performance.now() - counting;
  await seat.leave();
  const reader = postgresLogReader(database.of);
  const first = performance.now();
  const entries = await reader.readFrom(organization, 0, 500);
  const second = performance.now();
  // As if an event in front were held.
  await owner.sql.query('UPDATE log_head SET kept_from = 0');
  await reader.readFrom(organization, 1, 500);
  const third = performance.now();
  if (entries.length === 0) throw new Error('Nothing was found behind the month.');
  return {
    monthEvents: events,
    monthOutcomes: done.result,
    monthSeconds: round(done.milliseconds / 1_000),
    recountMs: round(recountMs),
    monthLongestReadMs: percentile(done.reads, 1),
    monthLongestStoreMs: percentile(done.stored, 1),
    quietLongestReadMs: percentile(quiet.reads, 1),
    quietLongestStoreMs: percentile(quiet.stored, 1),
    readOverMonthMs: round(second - first),
    readOverHoleMs: round(third - second),
  };
}

async function inBatches(database: Database, owner: Database, rows: number): Promise<object> {
  await fill(owner, '2023-05-01', rows);
  const quiet = await besides(database, () => delay(5_000));
  const one = { id: randomUUID(), asOf: new Date(), startedBy: null, isDryRun: false };
  const options = { isWhole: true, mustStop: () => false };
  const alone = performance.now();
  await runRetention(running(database), postgresSweeping(database.of), other, { ...one, id: randomUUID(), isDryRun: true }, options);
  const dryMs = performance.now() - alone;
  const done = await besides(database, () => runRetention(running(database), postgresSweeping(database.of), organization, one, options));
  return {
    batchEvents: done.result?.drops.filter((drop) => drop.class !== 'CONTENT').reduce((sum, drop) => sum + drop.count, 0),
    batchSessions: done.result?.sessions,
    batchSeconds: round(done.milliseconds / 1_000),
    dryRunOfOtherMs: round(dryMs),
    storedPerSecondQuiet: Math.round(quiet.eventsPerSecond),
    storedPerSecondMeanwhile: Math.round(done.eventsPerSecond),
    storeP50P99MsQuiet: [percentile(quiet.stored, 0.5), percentile(quiet.stored, 0.99)],
    storeP50P99MsMeanwhile: [percentile(done.stored, 0.5), percentile(done.stored, 0.99)],
    readP50P99MsMeanwhile: [percentile(done.reads, 0.5), percentile(done.reads, 0.99)],
  };
}
