import { Refusal, sentenceOf } from '../refusal.js';

/** The public API of a governance subgraph, for one caller. */
export interface Api {
  /** Runs an operation. @throws Refusal with what the service answered when it did not succeed. */
  graphql<Data>(document: string, variables?: Readonly<Record<string, unknown>>): Promise<Data>;
  put<Answer>(path: string, body: unknown): Promise<Answer>;
}

export function apiAt(base: string, token: string): Api {
  const send = async <Answer>(method: string, path: string, body: unknown): Promise<Answer> => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
    }).catch((error: unknown) => {
      throw new Refusal(`${base} does not answer: ${sentenceOf(error)}.`);
    });
    const text = await response.text();
    if (!response.ok) throw new Refusal(`${method} ${path} was answered with ${String(response.status)}: ${text}`);
    const answer: Answer = JSON.parse(text);
    return answer;
  };
  return {
    async graphql<Data>(document: string, variables = {}) {
      const { data, errors } = await send<{ data?: Data; errors?: readonly { message: string }[] }>('POST', '/graphql', {
        query: document,
        variables,
      });
      if (errors !== undefined || data === undefined) throw new Refusal((errors ?? []).map(({ message }) => message).join(' '));
      return data;
    },
    put: (path, body) => send('PUT', path, body),
  };
}
