import { finished } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Job, Ready } from './job.js';
import { dropReferenceTable, makeReferenceTable, rowsForCopy, rowsForInsert } from './stored-rows.js';

type CopyJob = Extract<Job, { readonly kind: 'copy' }>;
type InsertsJob = Extract<Job, { readonly kind: 'inserts' }>;

const TABLE = 'bench_reference';

export async function copyJob({ databaseUrl, connections, rows, batchRows, times }: CopyJob): Promise<Ready> {
  await makeReferenceTable(databaseUrl, TABLE, 'none');
  const batches = await rowsForCopy(databaseUrl, rows, batchRows);
  const clients = await connect(databaseUrl, connections);
  let taken = 0;
  return {
    clients: connections,
    async next(client) {
      const number = taken++;
      const batch = batches[number % batches.length];
      if (batch === undefined || number >= batches.length * times) return 0;
      const stream = at(clients, client).query(copyFrom(`COPY ${TABLE} FROM STDIN`));
      stream.end(batch);
      await finished(stream);
      return Math.min(batchRows, rows - (number % batches.length) * batchRows);
    },
    end: () => close(clients, databaseUrl),
  };
}

export async function insertsJob({ databaseUrl, connections, rows, indexes }: InsertsJob): Promise<Ready> {
  await makeReferenceTable(databaseUrl, TABLE, indexes);
  const values = await rowsForInsert(databaseUrl, rows);
  const places = (values[0] ?? []).map((_, index) => `$${index + 1}`).join(', ');
  const clients = await connect(databaseUrl, connections);
  let taken = 0;
  return {
    clients: connections,
    async next(client) {
      const row = values[taken++];
      if (row === undefined) return 0;
      // A name has it prepared once for each connection.
      await at(clients, client).query({ name: 'insert', text: `INSERT INTO ${TABLE} VALUES (${places})`, values: [...row] });
      return 1;
    },
    end: () => close(clients, databaseUrl),
  };
}

const connect = (databaseUrl: string, connections: number): Promise<readonly pg.Client[]> =>
  Promise.all(
    Array.from({ length: connections }, async () => {
      const client = new pg.Client({ connectionString: databaseUrl, options: '-c synchronous_commit=on' });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    }),
  );

function at(clients: readonly pg.Client[], place: number): pg.Client {
  const client = clients[place];
  if (client === undefined) throw new Error(`There is no connection ${place}.`);
  return client;
}

async function close(clients: readonly pg.Client[], databaseUrl: string): Promise<void> {
  await Promise.all(clients.map((client) => client.end()));
  await dropReferenceTable(databaseUrl, TABLE);
}
