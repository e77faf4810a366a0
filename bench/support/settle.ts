import { setTimeout as delay } from 'node:timers/promises';
import { withClient } from './cluster.js';
import { showProgress } from './progress.js';

/**
 * Waits until a service has caught up with `events` events that were put into its log beneath it: each has a position, and sessions and
 * counts know of it. Then does what autovacuum and the checkpointer would do in a quiet hour.
 */
export async function settle(databaseUrl: string, events: number): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    const progress = showProgress('Waiting for positions, sessions and counts', events, 'positions');
    try {
      for (let size = 0; size < events; await delay(100)) {
        const { rows } = await client.query<{ size: string | null }>('SELECT sum(size)::text AS size FROM log_head');
        const now = Number(rows[0]?.size ?? 0);
        progress.advance(now - size);
        size = now;
      }
      for (let isBehind = true; isBehind; await delay(100)) {
        const { rows } = await client.query<{ is_behind: boolean }>('SELECT audit_project_step_due() AS is_behind');
        isBehind = rows[0]?.is_behind ?? false;
      }
    } finally {
      progress.stop();
    }
    await client.query('VACUUM (ANALYZE)');
    await client.query('CHECKPOINT');
  });
}
