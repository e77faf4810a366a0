import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import type { AuditLog, Receipt } from '../../src/audit/index.js';
import { organizationId, type OrganizationId } from '../../src/kernel/index.js';
import { anAppend, someAppends } from '../audit/events.js';

export interface OpenAuditLog {
  readonly log: AuditLog;
  /** The same log, as another process has it. */
  readonly elsewhere: AuditLog;
  close(): Promise<void>;
}

const anOrganizationId = (): OrganizationId => organizationId(`organization-${randomUUID()}`);
const statuses = (receipts: readonly Receipt[]) => receipts.map(({ status }) => status);
const identities = (receipts: readonly Receipt[]) => receipts.map(({ stored }) => `${stored.event.id} ${stored.seal.toString('hex')}`);

/** What every audit log promises. */
export function describeAuditLog(name: string, open: () => Promise<OpenAuditLog>): void {
  describe(`${name} as an audit log`, () => {
    let opened: OpenAuditLog;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());

    it('stores events and answers in the order given, with their seals', async () => {
      const organization = anOrganizationId();
      const appends = someAppends(20, 'e', organization).toReversed();

      const receipts = await opened.log.append(organization, appends);

      expect(statuses(receipts)).toEqual(appends.map(() => 'stored'));
      expect(receipts.map(({ stored }) => [stored.event, stored.seal, stored.position])).toEqual(
        appends.map(({ sealed }) => [sealed.event, sealed.seal, null]),
      );
    });

    it('stores an event once: the earlier one is returned in the place of another under its id', async () => {
      const organization = anOrganizationId();
      const known = { sourceId: 'e', occurredAt: '2026-11-22T09:30:00.000Z' };
      const [first] = await opened.log.append(organization, [anAppend({ ...known, data: { tool_name: 'first' } }, organization)]);

      const again = await opened.elsewhere.append(organization, [
        anAppend({ sourceId: 'new' }, organization),
        anAppend({ ...known, data: { tool_name: 'second' } }, organization),
      ]);

      expect(statuses(again)).toEqual(['stored', 'duplicate']);
      expect(again[1]?.stored).toMatchObject({ event: first?.stored.event, seal: first?.stored.seal });
    });

    it('stores the first of an event that comes twice at once', async () => {
      const organization = anOrganizationId();
      const twice = [1, 2].map((data) => anAppend({ sourceId: 'e', occurredAt: '2026-11-22T09:30:00.000Z', data }, organization));

      const receipts = await opened.log.append(organization, [...twice, ...twice]);

      expect(statuses(receipts)).toEqual(['stored', 'duplicate', 'duplicate', 'duplicate']);
      expect(receipts.map(({ stored }) => stored.event.data)).toEqual([1, 1, 1, 1]);
    });

    it('finds an event by its key when it comes again with another time', async () => {
      const organization = anOrganizationId();
      const key = randomBytes(32);
      const at = (occurredAt: string) => anAppend({ sourceId: 'decision', occurredAt }, organization, key);

      const first = await opened.log.append(organization, [at('2026-11-22T09:30:00.000Z')]);
      const again = await opened.elsewhere.append(organization, [
        at('2026-11-22T09:30:05.000Z'),
        at('2026-12-01T00:00:00.000Z'),
        at('2026-11-22T09:30:00.000Z'),
      ]);

      expect(statuses(again)).toEqual(['duplicate', 'duplicate', 'duplicate']);
      expect(new Set(identities([...first, ...again])).size).toBe(1);
    });

    it('keeps the keys of organizations apart', async () => {
      const key = randomBytes(32);
      const [one, other] = [anOrganizationId(), anOrganizationId()];

      const receipts = [await opened.log.append(one, [anAppend({}, one, key)]), await opened.log.append(other, [anAppend({}, other, key)])];

      expect(receipts.map(statuses)).toEqual([['stored'], ['stored']]);
    });

    it('has room for every time that is accepted', async () => {
      const organization = anOrganizationId();
      const times = [
        '2025-01-01T00:00:00.000Z',
        '2025-01-31T23:59:59.999Z',
        '2025-02-01T00:00:00.000Z',
        '2026-12-31T23:59:59.999Z',
        '2027-01-01T00:00:00.000Z',
      ];

      const receipts = await opened.log.append(
        organization,
        times.map((occurredAt) => anAppend({ occurredAt }, organization)),
      );

      expect(statuses(receipts)).toEqual(times.map(() => 'stored'));
    });

    it('stores one of two that race with the same id, and gives both the same seal', async () => {
      for (let round = 0; round < 20; round += 1) {
        const organization = anOrganizationId();
        const race = () => anAppend({ sourceId: 'e', occurredAt: '2026-11-22T09:30:00.000Z' }, organization);

        const receipts = (
          await Promise.all([opened.log, opened.elsewhere, opened.log, opened.elsewhere].map((log) => log.append(organization, [race()])))
        ).flat();

        expect(statuses(receipts).sort()).toEqual(['duplicate', 'duplicate', 'duplicate', 'stored']);
        expect(new Set(identities(receipts)).size).toBe(1);
      }
    });

    it('stores one of two that race with the same key and different times', async () => {
      for (let round = 0; round < 20; round += 1) {
        const organization = anOrganizationId();
        const key = randomBytes(32);
        const race = (second: number) =>
          anAppend({ occurredAt: new Date(Date.UTC(2026, 10, 22, 9, 30, second)).toISOString() }, organization, key);

        const receipts = (
          await Promise.all(
            [opened.log, opened.elsewhere, opened.log, opened.elsewhere].map((log, second) => log.append(organization, [race(second)])),
          )
        ).flat();

        expect(statuses(receipts).sort()).toEqual(['duplicate', 'duplicate', 'duplicate', 'stored']);
        expect(new Set(identities(receipts)).size).toBe(1);
      }
    });

    it('lets nobody fail who sends the same events at the same moment in another order', async () => {
      for (let round = 0; round < 10; round += 1) {
        const organization = anOrganizationId();
        const appends = someAppends(300, 'e', organization);

        const [one, other] = await Promise.all([
          opened.log.append(organization, appends),
          opened.elsewhere.append(organization, appends.toReversed()),
        ]);

        expect(statuses([...one, ...other]).filter((status) => status === 'stored')).toHaveLength(300);
        expect(identities(other.toReversed())).toEqual(identities(one));
      }
    });
  });
}
