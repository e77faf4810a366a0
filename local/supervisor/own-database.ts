import pg from 'pg';
import { codeOf, Refusal, sentenceOf } from '../refusal.js';

const leastVersion = 160_000;

/**
 * Makes sure that the Postgres of `DATABASE_URL` can be used. Its password never gets into a message.
 *
 * @throws Refusal when it cannot.
 */
export async function checkDatabase(databaseUrl: string): Promise<void> {
  const place = placeOf(databaseUrl);
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string }>("SELECT current_setting('server_version_num') AS version");
    const version = Number(rows[0]?.version);
    if (version < leastVersion)
      throw new Refusal(
        `The database of DATABASE_URL (${place}) is Postgres ${String(Math.floor(version / 10_000))}: 16 or newer is needed.`,
      );
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`The database of DATABASE_URL (${place}) cannot be reached: ${reasonOf(error)}.`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function placeOf(databaseUrl: string): string {
  const isPostgres = URL.canParse(databaseUrl) && /^postgres(ql)?:$/.test(new URL(databaseUrl).protocol);
  if (!isPostgres) throw new Refusal('DATABASE_URL is not a URL like postgresql://USER:PASSWORD@HOST:5432/DATABASE.');
  const { host, pathname } = new URL(databaseUrl);
  return `${host}${pathname}`;
}

/** Several addresses of one host fail together as one error without a message of its own. */
function reasonOf(error: unknown): string {
  const sentence = sentenceOf(error).replace(/\.$/, '');
  return sentence === '' ? (codeOf(error) ?? 'unknown reason') : sentence;
}
