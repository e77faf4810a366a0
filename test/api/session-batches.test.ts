import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aCloudEvent, type CloudEvent } from '../support/cloud-events.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { postBatch, recorded } from '../support/recording.js';
import { COMPLETENESS, postSessionBatch, sessionOf, untilPositioned, type BatchAnswer } from '../support/sessions.js';
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
});

/** An event as the agent service puts it into a batch: its session is that of the batch. */
const sent = (sequence: number, change: CloudEvent = {}): CloudEvent =>
  aCloudEvent({ subject: undefined, sequence, projectid: company.api, userid: 'ada', agentid: company.coder, ...change });

const post = (sessionId: string, body: unknown): Promise<BatchAnswer> => postSessionBatch(company.platform, sessionId, body);

/** What has come of a session, once these answers' events have positions. */
async function completenessOf(sessionId: string, ...answers: readonly BatchAnswer[]) {
  const ids = answers.flatMap(({ results = [], report }) =>
    [...results, ...(report === undefined ? [] : [report])].map(({ eventId }) => eventId),
  );
  for (const id of ids) if (typeof id === 'string') await untilPositioned(auditor, id);
  return (await sessionOf(auditor, sessionId, `id ${COMPLETENESS}`))?.completeness;
}

describe('POST /v1/sessions/{sessionId}/audit-events', () => {
  it('stores the events of a session, and that these were all', async () => {
    const events = [sent(1, { type: 'ai_agent_session_started', data: { goal: 'Fix it' } }), sent(2), sent(3, { subject: 'run' })];

    const first = await post('run', { batch_id: 'b-1', events });
    const last = await post('run', { batch_id: 'b-2', events: [sent(4)], final: true, total_events_sent: 4 });

    expect(first).toMatchObject({ status: 200, stored: 3, duplicates: 0, rejected: 0 });
    expect(first.results?.map(({ index, id, status }) => [index, id, status])).toEqual(
      events.map(({ id }, index) => [index, id, 'stored']),
    );
    expect(first).not.toHaveProperty('report');
    expect(last).toMatchObject({
      status: 200,
      stored: 1,
      report: { status: 'stored', eventId: expect.any(String), seal: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(await completenessOf('run', first, last)).toEqual({
      state: 'COMPLETE',
      sources: [
        {
          ...{ source: '/duo_workflow_service', state: 'COMPLETE', received: 4, withoutSequence: 0, firstSequence: 1, lastSequence: 4 },
          ...{ missing: [], missingEvents: 0, isTruncated: false, totalEventsSent: 4, isFinal: true, unexpected: 0 },
        },
      ],
    });
  });

  it('records the last batch as an event, beside its events, of the same project, user and agent', async () => {
    const { report } = await post('run', { batch_id: 'b-9', events: [sent(1, { humanid: 'hanna' })], final: true, total_events_sent: 1 });

    const { data } = await auditor.graphql(
      `query ($id: ID!) { event: agentAuditEvent(id: $id) { type source sessionId sequence project { id } user { id } human { id } agent { id } recordedBy { id } seal
        payload { ... on AgentSessionReportPayload { producer batchId totalEventsSent } } } }`,
      { id: report?.['eventId'] },
    );

    expect(data).toEqual({
      event: {
        ...{
          type: 'ai_agent_session_report_finished',
          source: '/agent-governance',
          sessionId: 'run',
          sequence: null,
          seal: report?.['seal'],
        },
        ...{ project: { id: company.api }, user: { id: 'ada' }, human: { id: 'hanna' }, agent: { id: company.coder } },
        recordedBy: { id: company.id.replace('Organization', 'User') + '/platform' },
        payload: { producer: '/duo_workflow_service', batchId: 'b-9', totalEventsSent: 1 },
      },
    });
  });

  it('takes a last batch without any event, for what its reporter has sent before', async () => {
    const before = await post('run', { events: [sent(1, { source: '/my-service' }), sent(2, { source: '/my-service' })] });

    const last = await post('run', { events: [], final: true, total_events_sent: 5 });

    expect(last).toMatchObject({ status: 200, stored: 0, results: [], report: { status: 'stored' } });
    expect(await completenessOf('run', before, last)).toMatchObject({
      state: 'INCOMPLETE',
      sources: [{ source: '/my-service', received: 2, isFinal: true, totalEventsSent: 5, missing: [{ from: 3, to: 5 }], missingEvents: 3 }],
    });
  });

  it('takes one of which nothing else has come: all of it is missing', async () => {
    const last = await post('run', { events: [], final: true, total_events_sent: 3 });

    expect(await completenessOf('run', last)).toMatchObject({
      state: 'INCOMPLETE',
      sources: [{ source: '/duo_workflow_service', received: 0, firstSequence: null, missing: [{ from: 1, to: 3 }] }],
    });
  });

  it('takes the same last batch again, whatever was stored in between', async () => {
    const batch = { batch_id: 'b-1', events: [sent(1)], final: true, total_events_sent: 1 };
    const first = await post('run', batch);
    await recorded(company.platform, [aCloudEvent({ subject: 'run', source: '/other' })]);

    const again = await post('run', batch);
    const [unnamed, twice] = [await post('run 2', { events: [], final: true }), await post('run 2', { events: [], final: true })];

    expect(again).toMatchObject({
      status: 200,
      stored: 0,
      duplicates: 1,
      report: { status: 'duplicate', eventId: first.report?.['eventId'] },
    });
    expect(twice.report).toEqual({ ...unnamed.report, status: 'duplicate' });
  });

  it('refuses a last batch that says something else under the id of another', async () => {
    await post('run', { batch_id: 'b-1', events: [sent(1)], final: true, total_events_sent: 1 });

    const answer = await post('run', { batch_id: 'b-1', events: [], final: true, total_events_sent: 7 });

    expect(answer).toMatchObject({
      status: 400,
      report: { status: 'rejected', path: 'batch_id', reason: expect.stringContaining('another total') },
    });
  });

  it('rejects an event of another session and stores the others', async () => {
    const answer = await post('run', { events: [sent(1), sent(2, { subject: 'another', id: 'x' }), 'no event', sent(3)] });

    expect(answer).toMatchObject({ status: 200, stored: 2, rejected: 2 });
    expect(answer.results?.map(({ status, id, path }) => [status, id, path])).toEqual([
      ['stored', expect.any(String), undefined],
      ['rejected', 'x', 'subject'],
      ['rejected', null, ''],
      ['stored', expect.any(String), undefined],
    ]);
    expect(answer.results?.[1]?.['reason']).toBe('must be the session that the batch is of, or be left out');
  });

  it('answers 400 when nothing of it was stored, and 200 when it was empty', async () => {
    expect(await post('run', { events: [sent(1, { subject: 'another' })] })).toMatchObject({ status: 400, rejected: 1 });
    expect(await post('run', { events: [sent(1, { subject: 'another' })], final: true })).toMatchObject({
      status: 200,
      rejected: 1,
      report: { status: 'stored' },
    });
    expect(await post('run', { events: [] })).toMatchObject({ status: 200, stored: 0 });
  });

  it.each<[string, () => unknown, string]>([
    ['no events', () => ({}), 'events: must be an array of CloudEvents.'],
    ['something else than events', () => ({ events: {} }), 'events: must be an array of CloudEvents.'],
    ['a body that is none', () => [], 'body: must be a JSON object.'],
    ['final as a text', () => ({ events: [], final: 'true' }), 'final: must be true or false.'],
    [
      'a negative total',
      () => ({ events: [], total_events_sent: -1 }),
      'total_events_sent: must be a whole number from 0 to 9007199254740991.',
    ],
    [
      'a total that is not whole',
      () => ({ events: [], total_events_sent: 1.5 }),
      'total_events_sent: must be a whole number from 0 to 9007199254740991.',
    ],
    [
      'a total as a text',
      () => ({ events: [], total_events_sent: '4' }),
      'total_events_sent: must be a whole number from 0 to 9007199254740991.',
    ],
    ['an empty batch id', () => ({ events: [], batch_id: '' }), 'batch_id: must not be empty.'],
    ['a long batch id', () => ({ events: [], batch_id: 'b'.repeat(201) }), 'batch_id: must have at most 200 characters.'],
    ['a batch id that is no line', () => ({ events: [], batch_id: 'a\nb' }), 'batch_id: must not hold control characters.'],
    [
      'this service as its source',
      () => ({ events: [], source: '/agent-governance' }),
      'source: must not be /agent-governance: that is this service itself.',
    ],
    ['501 events', () => ({ events: Array(501).fill({}) }), 'events: must hold at most 500 events; got 501.'],
    [
      'events of two sources, and nobody says of which it is the last',
      () => ({ events: [sent(1, { source: '/a' }), sent(1, { source: '/b' })], final: true }),
      'source: must say of which source the batch is the last; its events are of several.',
    ],
  ])('refuses %s', async (_what, body, message) => {
    const answer = await post('run', body());

    expect([answer.status, answer.error]).toEqual([400, { code: 'BAD_USER_INPUT', message }]);
  });

  it('takes a session id of any characters, up to 200 of them', async () => {
    const long = `gid://gitlab/Ai::DuoWorkflows::Workflow/${'😀'.repeat(80)}`;
    const answer = await post(long, { events: [sent(1)] });

    expect(answer).toMatchObject({ status: 200, stored: 1 });
    expect(await completenessOf(long, answer)).toMatchObject({ state: 'OPEN' });
    expect((await post('x'.repeat(201), { events: [] })).error?.message).toBe('sessionId: must have at most 200 characters.');
    expect((await post('a\u0000b', { events: [] })).error?.message).toBe('sessionId: must not hold control characters.');
  });

  it('takes no total for the last word as long as the batch is not final', async () => {
    const answer = await post('run', { events: [sent(1)], final: false, total_events_sent: 9 });

    expect(await completenessOf('run', answer)).toMatchObject({ state: 'OPEN', sources: [{ totalEventsSent: null, isFinal: false }] });
  });

  it('needs the scope audit:record', async () => {
    const client = await subgraph.as({ userId: 'ada', organizationId: company.id, scopes: ['audit:read'] });

    expect(await postSessionBatch(client, 'run', { events: [], final: true })).toMatchObject({ status: 403, error: { code: 'FORBIDDEN' } });
  });

  it('lets nobody end somebody else’s session', async () => {
    const before = await post('run', { events: [sent(1)] });
    const eve = await company.member('DEVELOPER', company.shop, { userId: 'eve' });

    const foreign = await postSessionBatch(eve, 'run', { events: [], final: true, total_events_sent: 1, source: '/duo_workflow_service' });

    expect(foreign.report).toMatchObject({ status: 'stored' });
    expect(await completenessOf('run', before, foreign)).toMatchObject({ state: 'OPEN', sources: [{ isFinal: false }] });
  });
});

describe('a producer', () => {
  it('that is killed in the middle leaves named gaps', async () => {
    const run = randomUUID();
    const batches = [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
      [10, 11],
    ];
    const answers: BatchAnswer[] = [];
    for (const [index, batch] of batches.entries()) {
      // The second batch died with its process, and one event of the third was never made.
      if (index === 1) continue;
      answers.push(await post(run, { events: batch.filter((sequence) => sequence !== 8).map((sequence) => sent(sequence)) }));
    }

    const unfinished = await completenessOf(run, ...answers);
    answers.push(await post(run, { events: [], final: true, total_events_sent: 14 }));

    expect(unfinished).toMatchObject({
      state: 'INCOMPLETE',
      sources: [
        {
          missing: [
            { from: 4, to: 6 },
            { from: 8, to: 8 },
          ],
          missingEvents: 4,
          isFinal: false,
        },
      ],
    });
    expect(await completenessOf(run, ...answers)).toMatchObject({
      state: 'INCOMPLETE',
      sources: [
        {
          missing: [
            { from: 4, to: 6 },
            { from: 8, to: 8 },
            { from: 12, to: 14 },
          ],
          missingEvents: 7,
          received: 7,
          totalEventsSent: 14,
        },
      ],
    });

    answers.push(await post(run, { events: [12, 14, 4, 13, 8, 6, 5].map((sequence) => sent(sequence)) }));
    expect(await completenessOf(run, ...answers)).toMatchObject({ state: 'COMPLETE', sources: [{ missing: [], received: 14 }] });
  });

  it('that begins at 0, gives a number twice or none, and one beside it are told apart', async () => {
    const answers = [
      await post('run', { events: [sent(0), sent(1), sent(1), sent(3)] }),
      await post('run', { events: [sent(1, { source: '/other', sequence: undefined }), sent(1, { source: '/other', sequence: 'a-7' })] }),
      await post('run', { events: [], final: true, total_events_sent: 2, source: '/other' }),
    ];

    expect(await completenessOf('run', ...answers)).toMatchObject({
      state: 'INCOMPLETE',
      sources: [
        {
          source: '/duo_workflow_service',
          state: 'INCOMPLETE',
          firstSequence: 0,
          received: 4,
          missing: [{ from: 2, to: 2 }],
          unexpected: 1,
        },
        { source: '/other', state: 'COMPLETE', firstSequence: null, received: 2, withoutSequence: 2, missing: [], unexpected: 0 },
      ],
    });
  });

  it('may send its events in any way: by batches of many sessions too', async () => {
    const answer = await postBatch(
      company.platform,
      [1, 2, 4].map((sequence) => sent(sequence, { subject: 'run' })),
    );

    expect(await completenessOf('run', answer)).toMatchObject({ state: 'INCOMPLETE', sources: [{ missing: [{ from: 3, to: 3 }] }] });
  });
});

describe('agentAuditEventsRecord with a session report', () => {
  const RECORD = `mutation ($input: AgentAuditEventsRecordInput!) { recorded: agentAuditEventsRecord(input: $input) {
    stored rejected receipts { status path } sessionReport { status eventId seal path reason } } }`;
  interface Recorded {
    readonly recorded: { readonly sessionReport: { readonly status: string; readonly eventId: string | null } | null };
  }

  it('does what the batch does', async () => {
    const input = {
      events: [sent(1), sent(2, { subject: 'another' })],
      sessionReport: { sessionId: 'run', batchId: 'b', totalEventsSent: 2, isFinal: true },
    };

    const { data } = await company.platform.graphql<Recorded>(RECORD, { input });

    expect(data?.recorded).toEqual({
      ...{
        stored: 1,
        rejected: 1,
        receipts: [
          { status: 'STORED', path: null },
          { status: 'REJECTED', path: 'subject' },
        ],
      },
      sessionReport: { status: 'STORED', eventId: expect.any(String), seal: expect.any(String), path: null, reason: null },
    });
    const again = await post('run', { batch_id: 'b', events: [], final: true, total_events_sent: 2 });
    expect(again.report).toMatchObject({ status: 'duplicate', eventId: data?.recorded.sessionReport?.eventId });
    expect(await completenessOf('run', again)).toMatchObject({ sources: [{ missing: [{ from: 2, to: 2 }] }] });
  });

  it('says nothing of a report when the batch is not the last', async () => {
    const { data } = await company.platform.graphql<Recorded>(RECORD, {
      input: { events: [sent(1)], sessionReport: { sessionId: 'run' } },
    });

    expect(data?.recorded).toMatchObject({ stored: 1, sessionReport: null });
  });

  it('refuses what the batch refuses', async () => {
    const { errors } = await company.platform.graphql(RECORD, { input: { events: [], sessionReport: { sessionId: '', isFinal: true } } });

    expect(errors).toMatchObject([{ message: 'sessionReport.sessionId: must not be empty.', extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});
