import pg from 'pg';

/** The migrated, empty database that every test database is copied from. */
export const templateDatabase = 'governance_template';

/** `url` with another database's name. */
export function withDatabaseNamed(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/** One connection to the database `postgres`, for as long as `use` runs. */
export async function withMaintenance<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: withDatabaseNamed(url, 'postgres') });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
