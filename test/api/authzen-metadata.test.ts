import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { get } from 'node:http';
import { aSubgraph, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

const WELL_KNOWN = '/.well-known/authzen-configuration';

const metadataAt = (address: string) => ({
  policy_decision_point: address,
  access_evaluation_endpoint: `${address}/access/v1/evaluation`,
  access_evaluations_endpoint: `${address}/access/v1/evaluations`,
  search_subject_endpoint: `${address}/access/v1/search/subject`,
  search_resource_endpoint: `${address}/access/v1/search/resource`,
  search_action_endpoint: `${address}/access/v1/search/action`,
});

/** What is answered to a request for another host than it is sent to, as behind a proxy that passes it on. */
const answerFor = (host: string): Promise<{ readonly status: number | undefined; readonly body: unknown }> =>
  new Promise((resolve, reject) => {
    get(`${subgraph.url}${WELL_KNOWN}`, { headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) }));
    }).on('error', reject);
  });

describe('GET /.well-known/authzen-configuration', () => {
  it('tells everybody where the decision point is: where the request went, and not to be kept', async () => {
    const response = await subgraph.anonymous().request(WELL_KNOWN);

    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
      200,
      expect.stringMatching(/^application\/json/),
      'no-store',
    ]);
    expect(await response.json()).toEqual(metadataAt(subgraph.url));
  });

  it('names only routes that are there', async () => {
    const { policy_decision_point, ...endpoints } = metadataAt(subgraph.url);
    for (const endpoint of Object.values(endpoints)) {
      const path = endpoint.slice(policy_decision_point.length);
      expect((await subgraph.anonymous().request(path, { method: 'POST' })).status).toBe(401);
    }
  });

  it('takes the host from the request', async () => {
    expect(await answerFor('governance.example:8443')).toEqual({ status: 200, body: metadataAt('http://governance.example:8443') });
  });

  it.each(['governance.example/other', 'ada@governance.example', 'a b'])('refuses a request for the host %j', async (host) => {
    expect(await answerFor(host)).toMatchObject({ status: 400, body: { error: { code: 'BAD_USER_INPUT' } } });
  });

  it('says what PUBLIC_URL says, and may be kept for an hour', async () => {
    const behindProxy = await subgraph.sibling({ PUBLIC_URL: 'https://governance.example/' });
    try {
      const response = await behindProxy.anonymous().request(WELL_KNOWN);

      expect(response.headers.get('cache-control')).toBe('public, max-age=3600');
      expect(await response.json()).toEqual(metadataAt('https://governance.example'));
    } finally {
      await behindProxy.close();
    }
  });

  it('is found between the host and the path of PUBLIC_URL too, as the specification has it', async () => {
    const behindProxy = await subgraph.sibling({ PUBLIC_URL: 'https://platform.example/governance' });
    try {
      for (const path of [WELL_KNOWN, `${WELL_KNOWN}/governance`])
        expect(await (await behindProxy.anonymous().request(path)).json()).toEqual(metadataAt('https://platform.example/governance'));
      expect((await behindProxy.anonymous().request(`${WELL_KNOWN}/other`)).status).toBe(404);
    } finally {
      await behindProxy.close();
    }
  });
});
