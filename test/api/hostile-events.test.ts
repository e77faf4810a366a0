import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openAsOwner } from '../support/database.js';
import { aGoodEvent, aHostileEvent, SESSION, type SentEvent } from '../support/hostile-events.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aRandom } from '../support/random.js';
import { postBody, type RecordAnswer } from '../support/recording.js';
import { aSubgraph, type TestSubgraph } from '../support/subgraph.js';
import type { Database } from '../../src/platform/postgres.js';

const HOSTILE = 1_000;
const GOOD = 1_000;
const MAX_EVENTS = 500;
const MAX_CHARACTERS = 4_500_000;

let subgraph: TestSubgraph;
let owner: Database;
let company: TestOrganization;
beforeAll(async () => {
  subgraph = await aSubgraph();
  owner = openAsOwner(subgraph.databaseUrl);
  company = await anOrganization(subgraph);
});
afterAll(async () => {
  await owner.close();
  await subgraph.close();
});

/** As many of the events at a time as fit into a request. */
function* batches(events: readonly SentEvent[]): Generator<readonly SentEvent[]> {
  let batch: SentEvent[] = [];
  let characters = 0;
  for (const event of events) {
    if (batch.length === MAX_EVENTS || (batch.length > 0 && characters + event.json.length > MAX_CHARACTERS)) {
      yield batch;
      [batch, characters] = [[], 0];
    }
    batch.push(event);
    characters += event.json.length + 1;
  }
  yield batch;
}

const bodyOf = (events: readonly SentEvent[]): string => `[${events.map(({ json }) => json).join(',')}]`;

/** The two ways in: any events, and those of a session. */
const WAYS: readonly (readonly [string, (events: readonly SentEvent[]) => Promise<RecordAnswer>])[] = [
  ['events', (events) => postBody(company.platform, 'application/cloudevents-batch+json', bodyOf(events))],
  [
    'a session',
    async (events) => {
      const response = await company.platform.request(`/v1/sessions/${SESSION}/audit-events`, {
        method: 'POST',
        body: Buffer.from(`{"events":${bodyOf(events)}}`),
        headers: { 'content-type': 'application/json' },
      });
      return { status: response.status, ...((await response.json()) as Omit<RecordAnswer, 'status'>) };
    },
  ],
];

/** What must be answered. A session's batch takes no event of another one, whatever else is wrong with it. */
const answerTo =
  (way: string) =>
  ({ json, id, answer }: SentEvent, index: number): object => {
    const { subject = null } = Object(JSON.parse(json)) as { readonly subject?: unknown };
    if (way === 'a session' && subject !== null && subject !== SESSION)
      return { index, id, status: 'rejected', path: 'subject', reason: 'must be the session that the batch is of, or be left out' };
    if (answer.status === 'rejected') {
      const path = typeof answer.path === 'string' ? answer.path : expect.stringMatching(answer.path);
      return { index, id, status: 'rejected', path, reason: expect.stringMatching(answer.reason) };
    }
    return {
      ...{ index, id, status: 'stored', eventId: expect.any(String), seal: expect.any(String) },
      ...(answer.unknownType && { unknownType: true }),
    };
  };

/** How many events the log has under each of the producer's ids. */
async function storedIds(prefix: string): Promise<ReadonlyMap<string, number>> {
  const rows = await owner.sql.query<{ id: string; count: string }>(
    `SELECT event_text(json, '{sourceId}') AS id, count(*) FROM audit_event WHERE organization_id = $1 AND starts_with(event_text(json, '{sourceId}'), $2) GROUP BY 1`,
    [company.id, prefix],
  );
  return new Map(rows.map((row) => [row.id, Number(row.count)]));
}

describe('a thousand hostile events among a thousand good ones', () => {
  it.each(WAYS)(
    'are each answered with what is wrong, and no good one is lost: %s',
    async (way, send) => {
      const pick = aRandom(7);
      const hostile = Array.from({ length: HOSTILE }, (_, n) => aHostileEvent(`${way} h-${n}`, n, pick));
      const good = Array.from({ length: GOOD }, (_, n) => aGoodEvent(`${way} g-${n}`, pick));
      const all = pick.shuffled([...hostile, ...good]);

      for (const batch of batches(all)) {
        const stored = batch.filter(({ answer }) => answer.status === 'stored').length;
        const answer = await send(batch);
        expect(answer.results).toEqual(batch.map(answerTo(way)));
        expect(answer).toMatchObject({ status: 200, stored, rejected: batch.length - stored, duplicates: 0 });
      }

      const expected = all.flatMap(({ id, answer }): [string, number][] => (answer.status === 'stored' ? [[id ?? '', 1]] : []));
      expect(expected.length).toBeGreaterThan(GOOD + 100);
      expect(new Map([...(await storedIds(way))].sort())).toEqual(new Map(expected.sort()));
    },
    60_000,
  );

  it('leave nothing behind that keeps others from reading', async () => {
    const boss = await company.member('OWNER', company.id);
    const { data, errors } = await boss.graphql<Readonly<Record<'session' | 'called' | 'found' | 'counted', unknown>>>(
      `query ($from: AgentDateTime!, $to: AgentDateTime!) {
        session: agentSession(id: "${SESSION}") { eventCount strayEvents completeness { state } }
        called: agentAuditEvents(first: 100, filter: { callIds: ["call events g-1"] }) { nodes { callId } }
        found: agentAuditEvents(first: 100, filter: { text: "events g-2\\"" }) { nodes { toolName } }
        counted: agentAuditEventHistogram(interval: DAY, by: TYPE, from: $from, to: $to) { buckets { events } }
      }`,
      { from: new Date(Date.now() - 399 * 86_400_000).toISOString(), to: new Date(Date.now() + 600_000).toISOString() },
    );

    expect(errors).toBeUndefined();
    const [events, sessions] = [await storedIds('events'), await storedIds('a session')];
    const buckets = (data?.counted as { readonly buckets: readonly { readonly events: number }[] }).buckets;
    expect(buckets.reduce((sum, bucket) => sum + bucket.events, 0)).toBe(events.size + sessions.size);
    expect(data).toMatchObject({
      session: { eventCount: events.size + sessions.size, strayEvents: 0 },
      called: { nodes: [{ callId: 'call events g-1' }] },
      found: { nodes: [{ toolName: 'grep' }] },
    });
  });
});
