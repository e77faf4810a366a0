import { eventFrom } from '../audit/index.js';
import { organizationId as toOrganizationId } from '../kernel/index.js';
import type { Database, Session, Sql } from '../platform/postgres.js';
import type { LogEntry, LogReader, SequencerSeat, Sequencing } from './ports.js';

/** The advisory lock that is the sequencer's seat. */
const SEAT_LOCK = 7_270_736_902n;

/** How long the seat waits for a leader that says nothing, by default. */
const SILENT_SECONDS = 10;

/** The statements of every step and of every reader, for a test of their plans: on a log of millions each must read what it gives and nothing else. */
export const hotStatements = () => ({ peek: PEEK, step: STEP, read: READ });

/** The seat in Postgres: a lock that lives as long as its connection. */
export const postgresSequencing = (database: Database, silentSeconds = SILENT_SECONDS): Sequencing => ({
  async take() {
    const session = await database.session();
    // A broken connection is noticed by the next statement on it; without a listener it would end the process.
    const ignore = (): void => undefined;
    session.on('error', ignore);
    const release = (destroy: boolean): void => {
      session.off('error', ignore);
      session.release(destroy);
    };
    try {
      const { rows } = await session.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [SEAT_LOCK]);
      if (rows[0]?.taken === true) {
        // A leader whose machine has vanished closes nothing: its lock goes with its silence. It asks every 50 ms while it lives.
        await session.query("SELECT set_config('idle_session_timeout', $1, false)", [`${silentSeconds}s`]);
        await refuseForeignLog(session);
        return seatOn(session, () => release(true));
      }
      release(false);
      return null;
    } catch (error) {
      release(true);
      throw error;
    }
  },
});

/** @throws Error when the log was written in another Postgres cluster: every new event would wait for its position for ever. */
async function refuseForeignLog(session: Session): Promise<void> {
  const { rows } = await session.query<{ is_ahead: boolean }>(IS_AHEAD);
  if (rows[0]?.is_ahead === true)
    throw new Error(
      'The log was restored from another Postgres cluster, whose transaction numbers are higher. See docs/operators.md, "Restore".',
    );
}

/** The connection goes with the seat: its lock must not come back into the pool. */
const seatOn = (session: Session, leave: () => void): SequencerSeat => ({
  async step(limit) {
    const { rowCount } = await session.query(PEEK);
    if (rowCount === 0) return { events: 0, heads: [] };
    const { rows } = await session.query<{ organization_id: string; size: string; taken: string }>(STEP, [limit]);
    return {
      events: rows.reduce((sum, row) => sum + Number(row.taken), 0),
      heads: rows.map((row) => ({ organizationId: toOrganizationId(row.organization_id), size: Number(row.size) })),
    };
  },
  leave: async () => leave(),
});

// Looks without locking, so that an idle sequencer writes nothing; in the index's order, so that it reads one entry and no table.
const PEEK = `
  SELECT 1 FROM log_sequencer s, LATERAL (
    SELECT 1 FROM audit_event e WHERE (e.xid, e.seq) > (s.xid, s.seq) ORDER BY e.xid, e.seq LIMIT 1
  ) e`;

// Transaction numbers belong to one cluster. After a restore into another one they begin below those that the sequencer has seen.
const IS_AHEAD = 'SELECT xid >= pg_snapshot_xmax(pg_current_snapshot()) AS is_ahead FROM log_sequencer WHERE id = 1';

// One statement, so one transaction: positions, heads and how far the sequencer has come move together or not at all.
// `seen` is locked first: should two processes ever think that they lead, the second waits and then takes what comes next.
const STEP = `
  WITH seen AS MATERIALIZED (
    SELECT xid, seq FROM log_sequencer WHERE id = 1 FOR UPDATE
  ), fresh AS MATERIALIZED (
    SELECT e.id, e.organization_id, e.xid, e.seq
    FROM seen, LATERAL (
      SELECT e.id, e.organization_id, e.xid, e.seq FROM audit_event e
      WHERE (e.xid, e.seq) > (seen.xid, seen.seq) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
      ORDER BY e.xid, e.seq LIMIT $1
    ) e
  ), counted AS (
    SELECT organization_id, count(*) AS taken FROM fresh GROUP BY organization_id
  ), heads AS (
    INSERT INTO log_head AS head (organization_id, size) SELECT organization_id, taken FROM counted
    ON CONFLICT (organization_id) DO UPDATE SET size = head.size + excluded.size
    RETURNING organization_id, size
  ), entries AS (
    INSERT INTO log_entry (organization_id, position, event_id)
    SELECT organization_id, heads.size - counted.taken + row_number() OVER (PARTITION BY organization_id ORDER BY fresh.xid, fresh.seq) - 1, fresh.id
    FROM fresh JOIN heads USING (organization_id) JOIN counted USING (organization_id)
  ), moved AS (
    UPDATE log_sequencer SET xid = last.xid, seq = last.seq
    FROM (SELECT xid, seq FROM fresh ORDER BY xid DESC, seq DESC LIMIT 1) last WHERE id = 1
  )
  SELECT heads.organization_id, heads.size, counted.taken FROM heads JOIN counted USING (organization_id)`;

/** One read ends behind the event with which it has so many bytes of JSON: a reader of large events gets fewer at a time. */
const MAX_READ_BYTES = 1024 * 1024;

const READ = `
  SELECT e.json::text AS json, e.seal, page.position
  FROM (
    SELECT l.position, l.event_id, sum(e.bytes) OVER (ORDER BY l.position) - e.bytes AS bytes_before
    FROM log_entry l JOIN audit_event e ON e.id = l.event_id
    WHERE l.organization_id = $1 AND l.position >= $2 ORDER BY l.position LIMIT $3
  ) page JOIN audit_event e ON e.id = page.event_id
  WHERE page.bytes_before < $4 ORDER BY page.position`;

/** The ordered log in Postgres. */
export const postgresLogReader = (sql: Sql): LogReader => ({
  async size(organizationId) {
    const rows = await sql.query<{ size: string }>('SELECT size FROM log_head WHERE organization_id = $1', [organizationId]);
    return Number(rows[0]?.size ?? 0);
  },

  async readFrom(organizationId, position, limit) {
    const rows = await sql.query<{ json: string; seal: Buffer; position: string }>(READ, [organizationId, position, limit, MAX_READ_BYTES]);
    return rows.map((row): LogEntry => {
      const position = Number(row.position);
      return { position, characters: row.json.length, stored: { event: eventFrom(row.json), seal: row.seal, position } };
    });
  },
});
