import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { serverAudits } from 'graphql-http';
import { aSubgraph, routerSecret, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

it('passes the audits of GraphQL over HTTP', async () => {
  const audits = serverAudits({ url: `${subgraph.url}/graphql`, fetchFn: asRouter });

  const results = await Promise.all(audits.map((audit) => audit.fn()));

  const notOk = results.filter(({ status }) => status !== 'ok').map((result) => ({ ...result, response: undefined }));
  expect(notOk).toEqual([]);
  expect(results).toHaveLength(61);
});

/** As a gateway asks: with its secret, and with the header by which a client shows that it is no form of another site. */
function asRouter(url: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...Object.fromEntries(new Headers(init.headers)), 'router-secret': routerSecret, 'apollo-require-preflight': '1' };
  return fetch(url, { ...init, headers });
}
