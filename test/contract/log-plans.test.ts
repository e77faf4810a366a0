import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { postgresSequencing, readStatement } from '../../src/log/postgres.js';
import { openDatabase, type Database } from '../../src/platform/postgres.js';
import { acme, someAppends } from '../audit/events.js';
import { aDatabase, openAsOwner, type TestDatabase } from '../support/database.js';

const EVENTS = 20_000;

let testDatabase: TestDatabase;
let database: Database;
let owner: Database;
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 4);
  owner = openAsOwner(testDatabase.url);
  const log = postgresAuditLog(database.of, new Set());
  for (let stored = 0; stored < EVENTS; stored += 1_000) await log.append(acme, someAppends(1_000, String(stored)));
  const seat = await postgresSequencing(database).take();
  // A transaction that another test holds open in the same cluster holds positions back: until all have one.
  for (let sequenced = 0; sequenced < EVENTS;) sequenced += (await seat?.step(5_000))?.events ?? Number.NaN;
  await seat?.leave();
  await owner.sql.query('ANALYZE');
});
afterAll(async () => {
  await database.close();
  await owner.close();
  await testDatabase.drop();
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Plan[];
}

/** The plan of a statement with these values in place of $1, $2 and so on. */
async function planOf(statement: string, values: readonly string[] = ['5000']): Promise<Plan> {
  const text = values.reduce((rest, value, index) => rest.replaceAll(`$${index + 1}`, value), statement);
  const [row] = await owner.sql.query<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
  );
  const plan = row?.['QUERY PLAN'][0]?.Plan;
  if (plan === undefined) throw new Error('Postgres gave no plan.');
  return plan;
}

const nodesOf = (plan: Plan): readonly Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** The statement that a function of the migrations runs. */
async function statementOf(name: 'peek' | 'step'): Promise<string> {
  const [row] = await owner.sql.query<{ text: string }>('SELECT prosrc AS text FROM pg_proc WHERE proname = $1', [`log_sequence_${name}`]);
  const text = row?.text ?? '';
  return name === 'peek' ? text : (text.split('$$')[1] ?? '');
}

describe('a step of the sequencer with nothing to do', () => {
  it.each(['peek', 'step'] as const)('reads no table to find that out (%s)', async (name) => {
    const plan = await planOf(await statementOf(name));

    const nodes = nodesOf(plan).map((node) => `${node['Node Type']} ${node['Relation Name'] ?? ''}`.trim());
    expect(nodes.filter((node) => /^(Seq|Bitmap Heap) Scan audit_event/.test(node))).toEqual([]);
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(50);
  });
});

describe('a reading of the log', () => {
  it.each([0, EVENTS / 2, EVENTS - 10])('touches the entries that it gives and no others: from position %i', async (position) => {
    const plan = await planOf(readStatement(), [`'${acme}'`, String(position), '10', '4000000']);

    // Each entry is one look into the log, and two by an index into the events' partition.
    expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(150);
  });
});
