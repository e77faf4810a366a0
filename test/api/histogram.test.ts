import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aCloudEvent, type CloudEvent } from '../support/cloud-events.js';
import { anOrganization, pushed, type TestOrganization } from '../support/organization.js';
import { recordedInOrder } from '../support/sessions.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

let subgraph: TestSubgraph;
let company: TestOrganization;
let auditor: Client;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());
beforeEach(async () => {
  company = await anOrganization(subgraph);
  auditor = await company.member('AUDITOR', company.id);
  await recordedInOrder(company.platform, auditor, [
    event(1, 9, { projectid: company.api }),
    event(1, 9, { projectid: company.api, data: { tool_name: 'grep' } }),
    event(1, 10, { projectid: company.web, type: 'ai_tool_response_received' }),
    event(3, 0, { projectid: company.shop, agentid: 'planner' }),
    event(3, 23, { agentid: 'planner' }),
  ]);
});

/** Midnight a week ago. */
const MIDNIGHT = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 7 * 86_400_000;
const at = (day: number, hour: number): string => new Date(MIDNIGHT + (day * 24 + hour) * 3_600_000).toISOString();
const event = (day: number, hour: number, change: CloudEvent = {}): CloudEvent =>
  aCloudEvent({ time: at(day, hour), agentid: company.coder, data: { tool_name: 'read' }, ...change });

interface Histogram {
  readonly from: string;
  readonly to: string;
  readonly buckets: readonly {
    readonly start: string;
    readonly events: number;
    readonly counts: readonly { readonly value: string; readonly events: number }[];
  }[];
}
const QUERY = `query ($namespaceId: ID, $interval: AgentHistogramInterval!, $by: AgentHistogramDimension!, $from: AgentDateTime!, $to: AgentDateTime!) {
  histogram: agentAuditEventHistogram(namespaceId: $namespaceId, interval: $interval, by: $by, from: $from, to: $to) { from to buckets { start events counts { value events } } } }`;
const ask = (client: Client, change: Readonly<Record<string, unknown>> = {}) =>
  client.graphql<{ histogram: Histogram | null }>(QUERY, { interval: 'DAY', by: 'TOOL', from: at(0, 0), to: at(4, 0), ...change });
/** The buckets that are not empty, as `start total value=count …`. */
async function told(client: Client, change: Readonly<Record<string, unknown>> = {}): Promise<readonly string[] | null> {
  const { data, errors } = await ask(client, change);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return (
    data?.histogram?.buckets
      .filter(({ events }) => events > 0)
      .map(({ start, events, counts }) => [start, events, ...counts.map((count) => `${count.value}=${count.events}`)].join(' ')) ?? null
  );
}

describe('a histogram', () => {
  it('has every bucket of its time, in order', async () => {
    const { data } = await ask(auditor, { from: at(0, 13), to: at(3, 1) });

    expect(data?.histogram).toEqual({
      from: at(0, 0),
      to: at(4, 0),
      buckets: [
        { start: at(0, 0), events: 0, counts: [] },
        {
          start: at(1, 0),
          events: 3,
          counts: [
            { value: 'read', events: 2 },
            { value: 'grep', events: 1 },
          ],
        },
        { start: at(2, 0), events: 0, counts: [] },
        { start: at(3, 0), events: 2, counts: [{ value: 'read', events: 2 }] },
      ],
    });
  });

  it.each<[string, Readonly<Record<string, unknown>>, () => readonly string[]]>([
    [
      'by hours',
      { interval: 'HOUR' },
      () => [`${at(1, 9)} 2 grep=1 read=1`, `${at(1, 10)} 1 read=1`, `${at(3, 0)} 1 read=1`, `${at(3, 23)} 1 read=1`],
    ],
    ['by types', { by: 'TYPE' }, () => [`${at(1, 0)} 3 ai_tool_invoked=2 ai_tool_response_received=1`, `${at(3, 0)} 2 ai_tool_invoked=2`]],
    ['by agents', { by: 'AGENT' }, () => [`${at(1, 0)} 3 ${company.coder}=3`, `${at(3, 0)} 2 planner=2`]],
    ['by verdicts, of which there are none', { by: 'VERDICT' }, () => []],
  ])('tells %s', async (_what, change, wanted) => {
    expect(await told(auditor, change)).toEqual(wanted());
  });

  it('begins weeks on Mondays', async () => {
    const { data } = await ask(auditor, { interval: 'WEEK', from: at(0, 0), to: at(7, 0) });

    for (const { start } of data?.histogram?.buckets ?? []) expect(new Date(start).getUTCDay()).toBe(1);
    expect(data?.histogram?.buckets.reduce((sum, bucket) => sum + bucket.events, 0)).toBe(5);
  });

  it('is of a namespace with everything below, for who sees all of that', async () => {
    const [maintainer, developer] = [
      await company.member('MAINTAINER', company.payments),
      await company.member('DEVELOPER', company.payments),
    ];
    const payments = [`${at(1, 0)} 3 read=2 grep=1`];

    expect(await told(maintainer, { namespaceId: company.payments })).toEqual(payments);
    expect(await told(auditor, { namespaceId: company.payments })).toEqual(payments);
    expect(await told(auditor, { namespaceId: company.shop })).toEqual([`${at(3, 0)} 1 read=1`]);
    expect(await told(maintainer, { namespaceId: company.core })).toEqual([`${at(1, 0)} 2 grep=1 read=1`]);
    expect(await told(maintainer)).toBeNull();
    expect(await told(maintainer, { namespaceId: company.id })).toBeNull();
    expect(await told(maintainer, { namespaceId: company.shop })).toBeNull();
    expect(await told(maintainer, { namespaceId: 'nowhere' })).toBeNull();
    expect(await told(developer, { namespaceId: company.payments })).toBeNull();
    expect(await told(auditor, { namespaceId: company.id })).toEqual(await told(auditor));
  });

  it('still counts what happened in a project that was deleted', async () => {
    await pushed(company.platform, { namespaces: [{ id: company.api, deleted: true }] });

    expect(await told(auditor, { namespaceId: company.core })).toEqual([`${at(1, 0)} 2 grep=1 read=1`]);
    expect(await told(auditor, { namespaceId: company.api })).toEqual([`${at(1, 0)} 2 grep=1 read=1`]);
  });

  it('knows nothing of another organization', async () => {
    const other = await anOrganization(subgraph);
    const owner = await other.member('OWNER', other.id);

    expect(await told(owner)).toEqual([]);
    expect(await told(owner, { namespaceId: company.id })).toBeNull();
    expect(await told(owner, { namespaceId: company.api })).toBeNull();
  });

  it.each<[Readonly<Record<string, unknown>>, string]>([
    [{ to: at(0, 0) }, 'to: must be later than from.'],
    [{ from: 'yesterday' }, 'from: must be an RFC 3339 time with a zone, for example 2026-11-22T09:30:00.000Z.'],
    [
      { interval: 'HOUR', to: at(100, 0) },
      'from, to: hold 2400 buckets of a HOUR, and may hold at most 2000. Take a longer interval or a shorter time.',
    ],
  ])('is refused with %j', async (change, message) => {
    expect((await ask(auditor, change)).errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});
