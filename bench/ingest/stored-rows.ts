import type { Readable } from 'node:stream';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { withClient } from '../support/cluster.js';

/**
 * Everything that is stored of an event, as one row. What another table keeps of it belongs into a join here: the reference writes
 * the same bytes as the product, or it is none.
 */
const STORED = `SELECT e.*, c.salt AS content_salt, c.json AS content_json
  FROM audit_event e LEFT JOIN audit_event_content c ON c.event_id = e.id`;

/** The newest rows, newest first. */
const newest = (columns: string, rows: number): string => `SELECT ${columns} FROM (${STORED}) stored ORDER BY stored.id DESC LIMIT ${rows}`;

/** Which indexes a reference has: none, that of the ids alone, or every one that the log has. */
export type ReferenceIndexes = 'none' | 'primaryKey' | 'asTheLog';

/** Makes an empty table with the columns of a stored event, in place of one that may be there. */
export async function makeReferenceTable(databaseUrl: string, table: string, indexes: ReferenceIndexes): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    await client.query(`DROP TABLE IF EXISTS ${table}`);
    await client.query(`CREATE TABLE ${table} (LIKE audit_event${indexes === 'asTheLog' ? ' INCLUDING INDEXES' : ''})`);
    await client.query(`ALTER TABLE ${table} ADD content_salt bytea, ADD content_json json`);
    if (indexes === 'primaryKey') await client.query(`ALTER TABLE ${table} ADD PRIMARY KEY (id)`);
  });
}

export const dropReferenceTable = (databaseUrl: string, table: string): Promise<unknown> =>
  withClient(databaseUrl, (client) => client.query(`DROP TABLE IF EXISTS ${table}`));

/** The newest rows in the text format of COPY, cut into batches. */
export async function rowsForCopy(databaseUrl: string, rows: number, batchRows: number): Promise<readonly Buffer[]> {
  return withClient(databaseUrl, async (client) => {
    const text = await wholeOf(client.query(copyTo(`COPY (${newest('stored.*', rows)}) TO STDOUT`)));
    const batches: Buffer[] = [];
    let start = 0;
    let count = 0;
    // A line end within a value is written as \n, so that each one here ends a row.
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) {
      count += 1;
      if (count % batchRows !== 0 && end !== text.length - 1) continue;
      batches.push(text.subarray(start, end + 1));
      start = end + 1;
    }
    if (count < rows) throw new Error(`${rows} rows were wanted and ${count} are stored.`);
    return batches;
  });
}

async function wholeOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** The newest rows as texts, a list for each row, and how many columns they have. */
export async function rowsForInsert(databaseUrl: string, rows: number): Promise<readonly (readonly (string | null)[])[]> {
  return withClient(databaseUrl, async (client) => {
    const { fields } = await client.query(newest('stored.*', 0));
    const columns = fields.map(({ name }) => `stored.${pg.escapeIdentifier(name)}::text`).join(', ');
    const found = await client.query<(string | null)[]>({ text: newest(columns, rows), rowMode: 'array' });
    if (found.rows.length < rows) throw new Error(`${rows} rows were wanted and ${found.rows.length} are stored.`);
    return found.rows;
  });
}
