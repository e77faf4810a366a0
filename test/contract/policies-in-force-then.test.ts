import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { organizationId } from '../../src/kernel/index.js';
import { inTransaction, openDatabase, type Database } from '../../src/platform/postgres.js';
import { inForceAt, type PolicyInForce } from '../../src/policy/index.js';
import { postgresPolicies } from '../../src/policy/postgres/reader.js';
import { aDatabase, type TestDatabase } from '../support/database.js';
import { aRandom } from '../support/random.js';

const mine = organizationId('mine');
const day = (number: number): Date => new Date(Date.UTC(2026, 0, number));
const LAST = 8;

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 2);
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

interface Published extends PolicyInForce {
  readonly status: 'PUBLISHED' | 'RETIRED';
  readonly publishedAt: Date;
}

/** Revisions of many policies as they can be: published one after the other, started and ended at any time. */
function someRevisions(seed: number): readonly Published[] {
  const random = aRandom(seed);
  return Array.from({ length: 60 }, (_, index) => {
    const id = randomUUID();
    const of = { id, name: `policy ${index}`, namespaceId: random.pick(['group', 'project', 'elsewhere']), statements: [] };
    const days = Array.from({ length: 4 }, () => random.below(LAST)).sort((left, right) => left - right);
    return days.map((published, number): Published => {
      const revision = { ...of, revision: number + 1, publishedAt: day(published) };
      if (random.below(5) === 0) return { ...revision, status: 'RETIRED', mode: 'ENFORCE', effectiveFrom: null, effectiveUntil: null };
      const from = random.below(2) === 0 ? null : published + random.below(LAST);
      const until = random.below(2) === 0 ? null : (from ?? published) + 1 + random.below(LAST);
      const times = { effectiveFrom: from === null ? null : day(from), effectiveUntil: until === null ? null : day(until) };
      return { ...revision, ...times, status: 'PUBLISHED', mode: random.pick(['ENFORCE', 'SHADOW']) };
    });
  }).flat();
}

async function store(revisions: readonly Published[]): Promise<void> {
  const common = { organizationId: mine, text: '', digest: '', author: 'ada', publishedBy: 'ada', est: [] };
  const drafts = { organizationId: mine, draftText: '', draftSavedAt: day(0), draftSavedBy: 'ada', createdAt: day(0), createdBy: 'ada' };
  const latest = new Map(revisions.map((revision) => [revision.id, revision]));
  await inTransaction(database, mine, async (tx) => {
    await tx.policy.createMany({
      data: [...latest.values()].map(({ id, name, namespaceId, status, revision }) => ({
        ...{ ...drafts, id, name, namespaceId, status, latestRevision: revision },
      })),
    });
    await tx.policyRevision.createMany({
      data: revisions.map(({ id, revision, status, mode, effectiveFrom, effectiveUntil, publishedAt }) => ({
        ...{ ...common, policyId: id, revision, status, mode, effectiveFrom, effectiveUntil, publishedAt },
      })),
    });
  });
}

const namesOf = (policies: readonly PolicyInForce[]): readonly string[] => policies.map(({ id, revision }) => `${id} ${revision}`).sort();

describe('what was in force at a moment that is over', () => {
  it('is what was in force by what was published by then, in the namespaces asked for', async () => {
    const revisions = someRevisions(7);
    await store(revisions);
    const line = ['group', 'project'];

    for (let number = -1; number <= 2 * LAST; number += 1) {
      const then = day(number);
      const found = inForceAt(await postgresPolicies(database.of).inForceThen(mine, line, then), then);
      const known = revisions.filter(({ publishedAt, namespaceId }) => publishedAt <= then && line.includes(namespaceId));
      const expected = inForceAt(known, then);
      // A retirement replaces what is before it, and brings nothing.
      const retired = namesOf(known.filter(({ status }) => status === 'RETIRED'));

      expect({ number, enforced: namesOf(found.enforced), shadows: namesOf(found.shadows) }).toEqual({
        number,
        enforced: namesOf(expected.enforced).filter((name) => !retired.includes(name)),
        shadows: namesOf(expected.shadows),
      });
    }
    expect(await postgresPolicies(database.of).inForceThen(organizationId('theirs'), line, day(LAST))).toEqual([]);
  });
});
