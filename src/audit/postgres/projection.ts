import type { Sql } from '../../platform/postgres.js';
import type { Projection } from '../session-ports.js';

/** The projection, by functions of the migrations: they cross organizations, and the service itself sees one at a time. */
export const postgresProjection = (sql: Sql): Projection => ({
  async isBehind() {
    const [row] = await sql.query<{ is_behind: boolean }>('SELECT audit_project_step_due() AS is_behind');
    return row?.is_behind === true;
  },

  async step(limit) {
    const [row] = await sql.query<{ taken: string }>('SELECT audit_project_step($1) AS taken', [limit]);
    return Number(row?.taken ?? 0);
  },
});
