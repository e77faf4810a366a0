import { describe, expect, it } from '@jest/globals';
import { MAX_EVENTS, recordEvents, type RecordingPlace } from '../../src/audit/index.js';
import { countsOf } from '../../src/audit/record-events.js';
import type { Directory, Role } from '../../src/directory/index.js';
import { Failure, userId, type Json, type OrganizationId } from '../../src/kernel/index.js';
import { acmeRows, aDirectory } from '../directory/directory.js';
import { aCloudEvent } from '../support/cloud-events.js';
import { acme, humansAlone } from './events.js';
import { aMemoryAuditLog } from './memory-audit-log.js';

/** `ada`, who is a developer of payments, or has another role, with these scopes. */
function givenRecording({ scopes = ['audit:record'], role = 'DEVELOPER' as Role } = {}) {
  const log = aMemoryAuditLog();
  const { state } = aDirectory({ namespaces: acmeRows, memberships: [{ userId: 'ada', namespaceId: 'payments', role }] });
  const directory: Pick<Directory, 'namespaces' | 'standing'> = {
    namespaces: async (_organization, ids) => [...state.namespaces.values()].filter(({ id }) => ids.includes(id)),
    standing: async (_organization, user) => ({
      userId: user,
      memberships: [...state.memberships.values()].filter((membership) => membership.userId === user),
    }),
  };
  const unused = () => Promise.reject(new Error('not asked here'));
  const deps = {
    log,
    directory: { ...directory, agent: unused, epoch: unused, lines: unused },
    clock: () => new Date(),
    places: {
      places: async (organization: OrganizationId, ids: readonly string[]) => {
        const projects = [...state.namespaces.values()].filter(({ id, kind }) => ids.includes(id) && kind === 'PROJECT');
        const place = (ancestors: readonly string[]): RecordingPlace => ({ ancestors, mode: 'FULL' });
        return new Map([
          [organization as string, place([organization])],
          ...projects.map(({ id, ancestors }) => [id, place(ancestors)] as const),
        ]);
      },
    },
    humans: humansAlone,
    retention: async () => [],
    redactor: { redact: (value: Json) => ({ value, redacted: [] }), secretIn: () => null },
    window: { maxAgeDays: 400, maxAheadSeconds: 300 },
  };
  const viewer = { userId: userId('ada'), organizationId: acme, agentId: null, scopes: new Set(scopes), expiresAt: new Date(Date.now() + 60_000) };
  return {
    record: (...events: readonly unknown[]) => recordEvents(deps, viewer, events),
    stored: () => log.storedOf(acme).map(({ event }) => event),
  };
}

describe('recording', () => {
  it('judges each event alone: bad ones come back with a reason, good ones are stored', async () => {
    const { record, stored } = givenRecording();
    const good = aCloudEvent({ projectid: 'api' });

    const receipts = await record(
      good,
      7,
      aCloudEvent({ id: 'b', time: 'yesterday' }),
      { id: { an: 'object' } },
      aCloudEvent({ id: 'c', data: { n: JSON.parse('1e400') as number, tool_name: 't' } }),
      good,
    );

    expect(receipts).toMatchObject([
      { status: 'stored', sourceId: good['id'] },
      { status: 'rejected', sourceId: null, path: '', reason: 'must be a JSON object' },
      { status: 'rejected', sourceId: 'b', path: 'time' },
      { status: 'rejected', sourceId: null, path: 'specversion', reason: 'is missing: it must be "1.0" (CloudEvents 1.0)' },
      { status: 'rejected', sourceId: 'c', path: 'data.n', reason: 'must be a number that a double can hold' },
      { status: 'duplicate', sourceId: good['id'] },
    ]);
    expect(countsOf(receipts)).toEqual({ stored: 1, duplicates: 1, rejected: 4, unknownTypes: 0 });
    expect(stored()).toMatchObject([{ sourceId: good['id'], projectId: 'api', userId: 'ada' }]);
  });

  it('answers a repetition with the id and seal of the first', async () => {
    const { record, stored } = givenRecording();
    const event = aCloudEvent();

    const [first] = await record(event);
    const [again] = await record(event);

    expect(again).toEqual({ ...first, status: 'duplicate' });
    expect(stored()).toHaveLength(1);
  });

  it('says of each stored event whether its type is unknown, and counts those that are', async () => {
    const { record, stored } = givenRecording();
    const unknown = aCloudEvent({ type: 'com.example.new', data: [1] });

    const receipts = await record(unknown, unknown, aCloudEvent(), aCloudEvent({ type: 'com.example.late', time: '2020-01-01T00:00:00Z' }));

    expect(receipts).toMatchObject([
      { status: 'stored', isUnknownType: true },
      { status: 'duplicate', isUnknownType: true },
      { status: 'stored', isUnknownType: false },
      { status: 'rejected', path: 'time' },
    ]);
    expect(countsOf(receipts)).toEqual({ stored: 2, duplicates: 1, rejected: 1, unknownTypes: 2 });
    expect(stored()).toMatchObject([{ type: 'com.example.new', data: [1] }, { type: 'ai_tool_invoked' }]);
  });

  it('refuses something else under the same source, id and time, and keeps the first', async () => {
    const { record, stored } = givenRecording();
    const event = aCloudEvent();
    await record(event);

    const [forged] = await record({ ...event, data: { tool_name: 'something else' } });

    expect(forged).toMatchObject({ status: 'rejected', path: 'id' });
    expect(stored()).toMatchObject([{ data: event['data'] }]);
  });

  it('refuses a request of more than 500 events', async () => {
    const count = MAX_EVENTS + 1;
    await expect(givenRecording().record(...Array.from({ length: count }, () => aCloudEvent()))).rejects.toEqual(
      new Failure('BAD_USER_INPUT', `events: must hold at most 500 events (and 5 MiB) a request; got ${count}.`),
    );
  });

  it('takes as many as 500', async () => {
    expect(countsOf(await givenRecording().record(...Array.from({ length: MAX_EVENTS }, () => aCloudEvent())))).toEqual({
      stored: 500,
      duplicates: 0,
      rejected: 0,
      unknownTypes: 0,
    });
  });

  it('needs the scope', async () => {
    await expect(givenRecording({ scopes: ['audit:read', 'act:any'] }).record(aCloudEvent())).rejects.toEqual(
      new Failure('FORBIDDEN', 'This needs a token with the scope audit:record.'),
    );
  });
});

describe('whose event, and where', () => {
  const own = ['audit:record'];
  const any = ['audit:record', 'act:any'];
  const unknownPlace = { path: 'projectid', reason: 'must be a project of the organization that the directory knows' };
  const otherUser = { path: 'userid', reason: 'must be the token’s own user, or the token must have the scope act:any' };

  it.each([
    ['oneself', own, { userid: 'ada' }, { status: 'stored' }],
    ['nobody, so oneself', own, { userid: null }, { status: 'stored' }],
    ['somebody else', own, { userid: 'bob' }, otherUser],
    ['somebody else with act:any', any, { userid: 'bob' }, { status: 'stored' }],
    ['a project below one’s group', own, { projectid: 'ledger' }, { status: 'stored' }],
    ['a project of which one is no member', own, { projectid: 'index' }, unknownPlace],
    ['a project that is not there', any, { projectid: 'nowhere' }, unknownPlace],
    ['a group', any, { projectid: 'payments' }, unknownPlace],
    ['the organization', any, { projectid: 'acme' }, unknownPlace],
    ['any project with act:any', any, { userid: 'bob', projectid: 'api' }, { status: 'stored' }],
  ])('%s', async (_what, scopes, change, receipt) => {
    expect(await givenRecording({ scopes }).record(aCloudEvent(change))).toMatchObject([receipt]);
  });
});
