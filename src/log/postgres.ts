import { eventFrom } from '../audit/index.js';
import { organizationId as toOrganizationId } from '../kernel/index.js';
import type { Database, Session, SqlOf } from '../platform/postgres.js';
import type { LogEntry, LogReader, SequencerSeat, Sequencing } from './ports.js';

/** The advisory lock that is the sequencer's seat. */
const SEAT_LOCK = 7_270_736_902n;

/** How long the seat waits for a leader that says nothing, by default. */
const SILENT_SECONDS = 10;

/** The statement of every reader, for a test of its plan: on a log of millions it must read what it gives and nothing else. */
export const readStatement = (): string => READ;

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
    const { rows: looked } = await session.query<{ is_due: boolean }>(PEEK);
    if (looked[0]?.is_due !== true) return { events: 0, heads: [] };
    const { rows } = await session.query<{ organization_id: string; size: string; taken: string }>(STEP, [limit]);
    return {
      events: rows.reduce((sum, row) => sum + Number(row.taken), 0),
      heads: rows.map((row) => ({ organizationId: toOrganizationId(row.organization_id), size: Number(row.size) })),
    };
  },
  leave: async () => leave(),
});

const PEEK = 'SELECT log_sequence_peek() AS is_due';

// Transaction numbers belong to one cluster. After a restore into another one they begin below those that the sequencer has seen.
const IS_AHEAD = 'SELECT xid >= pg_snapshot_xmax(pg_current_snapshot()) AS is_ahead FROM log_sequencer WHERE id = 1';

// Positions are given across organizations, by a function of the migrations: the service itself sees one at a time.
const STEP = 'SELECT organization_id, size, taken FROM log_sequence_step($1)';

/** One read ends behind the event with which it has so many bytes of JSON: a reader of large events gets fewer at a time. */
const MAX_READ_BYTES = 1024 * 1024;

/** How many positions one statement looks at: where events have been dropped, it may find none in them. */
const READ_POSITIONS = 5_000;

const READ_FROM = 'greatest($2::bigint, (SELECT kept_from FROM log_head WHERE organization_id = $1))';
const READ = `
  SELECT e.json::text AS json, e.seal, page.position
  FROM (
    SELECT l.position, l.event_id, sum(e.bytes) OVER (ORDER BY l.position) - e.bytes AS bytes_before
    FROM log_entry l JOIN audit_event e ON e.id = l.event_id
    WHERE l.organization_id = $1 AND l.position >= ${READ_FROM} AND l.position < ${READ_FROM} + ${READ_POSITIONS} ORDER BY l.position LIMIT $3
  ) page JOIN audit_event e ON e.id = page.event_id
  WHERE page.bytes_before < $4 ORDER BY page.position`;

/** Where to look on when there was nothing: behind what is wholly gone; null at the end. */
const LOOK_ON = 'SELECT log_next_kept($1, $2::bigint, $3::bigint) AS position';

/** The ordered log in Postgres. */
export const postgresLogReader = (of: SqlOf): LogReader => ({
  async size(organizationId) {
    const rows = await of(organizationId).query<{ size: string }>('SELECT size FROM log_head WHERE organization_id = $1', [organizationId]);
    return Number(rows[0]?.size ?? 0);
  },

  async readFrom(organizationId, position, limit) {
    const sql = of(organizationId);
    let from = position;
    for (;;) {
      const rows = await sql.query<EntryRow>(READ, [organizationId, from, limit, MAX_READ_BYTES]);
      if (rows.length > 0) return rows.map(toEntry);
      const [next] = await sql.query<{ position: string | null }>(LOOK_ON, [organizationId, from, READ_POSITIONS]);
      if (next?.position == null) return [];
      from = Number(next.position);
    }
  },
});

interface EntryRow {
  readonly json: string;
  readonly seal: Buffer;
  readonly position: string;
}

function toEntry(row: EntryRow): LogEntry {
  const position = Number(row.position);
  return { position, characters: row.json.length, stored: { event: eventFrom(row.json), seal: row.seal, position } };
}
