import pg from 'pg';

/**
 * The SQL statements that this process sends while `work` runs, through whatever pool or client, in the order sent; but not those by
 * which a connection names its organization: it depends on who had it last whether that is needed.
 *
 * Background work of a service in this process sends its own: look for the statements that are meant.
 */
export async function statementsDuring(work: () => Promise<unknown>): Promise<readonly string[]> {
  const sent: string[] = [];
  const client = pg.Client.prototype;
  const query = client.query;
  client.query = new Proxy(query, {
    apply(target, client, args: unknown[]) {
      const text = textOf(args[0]);
      if (!text.includes('set_config(')) sent.push(text);
      return Reflect.apply(target, client, args);
    },
  });
  try {
    await work();
  } finally {
    client.query = query;
  }
  return sent;
}

/** pg takes a statement as text or as an object that holds the text. */
function textOf(statement: unknown): string {
  if (typeof statement === 'string') return statement;
  return typeof statement === 'object' && statement !== null && 'text' in statement ? String(statement.text) : '';
}
