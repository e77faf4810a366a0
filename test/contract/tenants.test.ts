import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { organizationId } from '../../src/kernel/index.js';
import { APP_ROLE, inTransaction, openDatabase, type Database } from '../../src/platform/postgres.js';
import { someAppends } from '../audit/events.js';
import { aDatabase, openAsOwner, type TestDatabase } from '../support/database.js';

const [mine, theirs] = [organizationId('mine'), organizationId('theirs')];

let testDatabase: TestDatabase;
let database: Database;
let owner: Database;
beforeAll(async () => {
  testDatabase = await aDatabase();
  // One connection: whatever an organization leaves behind on it, the next one finds.
  database = openDatabase(testDatabase.url, 1);
  owner = openAsOwner(testDatabase.url);
  for (const organization of [mine, theirs]) {
    await inTransaction(database, organization, (tx) => tx.organization.create({ data: { id: organization } }));
    await postgresAuditLog(database.of, new Set()).append(organization, someAppends(3, 'e', organization));
  }
});
afterAll(async () => {
  await database.close();
  await owner.close();
  await testDatabase.drop();
});

const EVENTS = 'SELECT organization_id FROM audit_event';

/** Every table that belongs to organizations. */
const tables = async (): Promise<readonly { readonly name: string; readonly isGoverned: boolean }[]> =>
  (
    await owner.sql.query<{ name: string; governed: boolean }>(
      `SELECT c.relname AS name, c.relrowsecurity AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid) AS governed
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`,
    )
  ).map(({ name, governed }) => ({ name, isGoverned: governed }));

describe('a query that forgot its organization', () => {
  it('finds nothing, though there are events', async () => {
    expect(await owner.sql.query(EVENTS)).toHaveLength(6);
    expect(await database.sql.query(EVENTS)).toEqual([]);
  });

  it('finds nothing either on a connection that somebody else has just used, or used in a transaction', async () => {
    expect(await database.of(theirs).query(EVENTS)).toHaveLength(3);
    expect(await database.sql.query(EVENTS)).toEqual([]);

    await inTransaction(database, theirs, (tx) => tx.$queryRawUnsafe(EVENTS));
    expect(await database.sql.query(EVENTS)).toEqual([]);
  });

  it('finds nothing on a connection of one’s own that was somebody’s before', async () => {
    await database.of(theirs).query(EVENTS);

    const session = await database.session();
    const { rows } = await session.query(EVENTS);
    session.release();

    expect(rows).toEqual([]);
    expect(await database.of(theirs).query(EVENTS)).toHaveLength(3);
  });

  it('finds nothing after one that failed', async () => {
    await expect(database.of(theirs).query('SELECT 1 / 0')).rejects.toThrow('division by zero');

    expect(await database.sql.query(EVENTS)).toEqual([]);
  });
});

describe('a query that names another organization in its condition', () => {
  it.each(['theirs', 'mine'] as const)('finds the rows of its own alone: %s', async (named) => {
    const rows = await database.of(mine).query<{ organization_id: string }>(`${EVENTS} WHERE organization_id = $1`, [named]);

    expect(rows).toHaveLength(named === 'mine' ? 3 : 0);
  });

  it('cannot write for it', async () => {
    await expect(
      database
        .of(mine)
        .query("INSERT INTO membership (organization_id, user_id, namespace_id, role) VALUES ('theirs', 'me', 'theirs', 'OWNER')"),
    ).rejects.toThrow('row-level security');
  });
});

describe('the role of the service', () => {
  it('is one that row-level security holds for', async () => {
    const [row] = await database.sql.query(
      'SELECT current_user AS role, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user',
    );

    expect(row).toEqual({ role: APP_ROLE, rolsuper: false, rolbypassrls: false });
  });

  it('owns no table, and every table of organizations is governed', async () => {
    const all = await tables();

    expect(all.length).toBeGreaterThan(10);
    expect(all.map(({ name }) => name)).toContain('service_account');
    expect(all.filter(({ isGoverned }) => !isGoverned)).toEqual([]);
    expect(await owner.sql.query(`SELECT relname FROM pg_class WHERE relowner = '${APP_ROLE}'::regrole`)).toEqual([]);
  });

  it.each([
    ['changes', "UPDATE audit_event SET tool = 'other'"],
    ['deletes', 'DELETE FROM audit_event'],
    ['truncates', 'TRUNCATE audit_event'],
    ['changes the position of', 'UPDATE log_entry SET position = position + 1'],
    ['changes the content of', "UPDATE audit_event_content SET json = '{}'"],
    ['changes what sessions were made of', 'UPDATE agent_session SET denied = 0'],
    ['forgets what has not come of', 'DELETE FROM agent_session_source'],
    ['forgets a call that came of', 'DELETE FROM agent_open_call'],
    ['changes the count of', 'UPDATE audit_rollup SET events = 0'],
    ['changes how far the projector has come, or the time of', 'UPDATE log_projector SET seq = 0'],
  ])('never %s an event', async (_what, statement) => {
    await expect(database.of(mine).query(statement)).rejects.toThrow('permission denied');
  });

  it('reads no partition past its table', async () => {
    const [partition] = await owner.sql.query<{ name: string }>(
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'audit_event'::regclass LIMIT 1",
    );

    await expect(database.of(mine).query(`SELECT * FROM ${partition?.name ?? ''}`)).rejects.toThrow('permission denied');
  });

  it('cannot make itself another one when it is all that its login may be', async () => {
    const login = `login_${process.pid}_${Date.now()}`;
    await owner.sql.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret' IN ROLE ${APP_ROLE}`);
    const url = new URL(testDatabase.url);
    [url.username, url.password] = [login, 'secret'];
    const client = new pg.Client({ connectionString: url.href, options: `-c role=${APP_ROLE}` });
    await client.connect();
    try {
      expect((await client.query(EVENTS)).rows).toEqual([]);
      await client.query('RESET ROLE');
      expect((await client.query(EVENTS)).rows).toEqual([]);
      await expect(client.query('SET ROLE pg_read_all_data')).rejects.toThrow('permission denied');
      await expect(client.query('SET row_security = off; SELECT 1 FROM audit_event')).rejects.toThrow('row-level security');
    } finally {
      await client.end();
      await owner.sql.query(`DROP ROLE ${login}`);
    }
  });
});
