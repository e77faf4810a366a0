import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { HoldSelectors, LegalHold } from '../../src/audit/retention/hold.js';
import type { RetentionClass } from '../../src/audit/catalogue.js';
import type { DaysInForce } from '../../src/audit/retention/rules.js';
import type { OrganizationId } from '../../src/kernel/index.js';
import { openDatabase, type Database } from '../../src/platform/postgres.js';
import {
  anOrganizationId,
  appendOf,
  DAY,
  fact,
  keptIn,
  recordedDrops,
  retentionOn,
  type Fact,
  type TestRetention,
} from '../audit/retention.js';
import { aDatabase, openAsOwner, type TestDatabase } from '../support/database.js';
import { aRandom, type Random } from '../support/random.js';

let testDatabase: TestDatabase;
let database: Database;
let owner: Database;
let retention: TestRetention;
beforeAll(async () => {
  testDatabase = await aDatabase();
  database = openDatabase(testDatabase.url, 8);
  owner = openAsOwner(testDatabase.url);
  retention = retentionOn(database);
});
afterAll(async () => {
  await database.close();
  await owner.close();
  await testDatabase.drop();
});

const sorted = (facts: readonly Fact[]): readonly string[] => facts.map(({ name }) => name).sort();

async function putNamespaces(organization: OrganizationId, lines: readonly (readonly string[])[], table = 'namespace'): Promise<void> {
  const known =
    table === 'namespace'
      ? `INSERT INTO namespace (organization_id, id, kind, parent_id, path, name, ancestors)
         VALUES ($1, $2, CASE WHEN $3::text IS NULL THEN 'ORGANIZATION' ELSE 'GROUP' END, $3, 'n', 'n', $4)`
      : 'INSERT INTO former_namespace (organization_id, id, ancestors) SELECT $1, $2, $4 WHERE $3::text IS NOT NULL';
  for (const line of lines) await owner.sql.query(known, [organization, line.at(-1), line.at(-2) ?? null, line]);
}

/** Organization / group / subgroup / project, group / other; `gone` was a project in the subgroup. */
const linesOf = (organization: OrganizationId): ReadonlyMap<string, readonly string[]> =>
  new Map(
    [
      [organization],
      [organization, 'group'],
      [organization, 'group', 'subgroup'],
      [organization, 'group', 'subgroup', 'project'],
      [organization, 'group', 'other'],
      [organization, 'group', 'subgroup', 'gone'],
    ].map((line) => [line.at(-1) ?? '', line]),
  );

async function aTree(organization: OrganizationId): Promise<void> {
  const lines = [...linesOf(organization).values()];
  await putNamespaces(organization, lines.slice(0, 5));
  await putNamespaces(organization, lines.slice(5), 'former_namespace');
}

const DEFAULTS: Readonly<Record<RetentionClass, number>> = { CONTENT: 184, METADATA: 400, DECISIONS: 730 };

/** What retention must do, said once more and in another way. */
function model(
  organization: OrganizationId,
  facts: readonly Fact[],
  settings: readonly DaysInForce[],
  holds: readonly LegalHold[],
  asOf: number,
) {
  const lineOf = ({ namespaceId }: Fact): readonly string[] => linesOf(organization).get(namespaceId ?? organization) ?? [organization];
  const days = (of: RetentionClass, one: Fact): number => {
    for (const id of lineOf(one).toReversed()) {
      const found = settings.find((setting) => setting.class === of && setting.namespaceId === id);
      if (found !== undefined) return found.days;
    }
    return DEFAULTS[of];
  };
  const own = (one: Fact): RetentionClass => (/decision|approval/.test(one.type) ? 'DECISIONS' : 'METADATA');
  const isHeld = (one: Fact): boolean =>
    holds.some(
      (hold) =>
        hold.lift === null &&
        (hold.namespaceId === null || lineOf(one).includes(hold.namespaceId)) &&
        (hold.sessionId ?? one.sessionId) === one.sessionId &&
        [one.userId, one.humanId].includes(hold.userId ?? one.userId) &&
        (hold.agentId ?? one.agentId) === one.agentId &&
        one.at >= (hold.from?.getTime() ?? -Infinity) &&
        one.at < (hold.to?.getTime() ?? Infinity),
    );
  const stays = (one: Fact, kept: number): boolean => isHeld(one) || one.at >= asOf - kept * DAY;
  const events = facts.filter((one) => stays(one, days(own(one), one)));
  const contents = facts.filter(
    (one) => one.hasContent && stays(one, Math.min(days('CONTENT', one), days('METADATA', one), days(own(one), one))),
  );
  return { events, contents };
}

const PLACES = [null, 'group', 'subgroup', 'project', 'other', 'gone', 'never heard of'] as const;
const SETTABLE = ['group', 'subgroup', 'project', 'other', 'gone'] as const;

function randomFacts(random: Random, settings: readonly DaysInForce[], asOf: number): readonly Fact[] {
  const ages = [...Object.values(DEFAULTS), ...settings.map(({ days }) => days)];
  return Array.from({ length: 400 }, (_, index) => {
    // Half of them lie around the moments that decide.
    const around = random.pick(ages) * DAY + (random.below(120_001) - 60_000);
    const userId = random.pick(['ada', 'ben', 'service']);
    return fact(String(index), asOf - (random.below(2) === 0 ? around : random.below(1_100 * DAY)), {
      type: random.pick(['ai_tool_invoked', 'ai_llm_input_sent', 'ai_tool_decision_made', 'ai_tool_approval_granted', 'made_up']),
      namespaceId: random.pick(PLACES),
      userId,
      humanId: userId === 'service' ? random.pick(['ada', 'cleo']) : userId,
      agentId: random.pick(['coder', 'reviewer', 'tester']),
      sessionId: random.pick(['s1', 's2', 's3', 's4', 's5']),
      hasContent: random.below(2) === 0,
    });
  });
}

function randomSettings(random: Random, organization: OrganizationId): readonly DaysInForce[] {
  const all = [organization, ...SETTABLE].flatMap((namespaceId) =>
    (['CONTENT', 'METADATA', 'DECISIONS'] as const).map((of) => ({
      namespaceId,
      class: of,
      days: of === 'CONTENT' ? 1 + random.below(900) : 184 + random.below(900),
    })),
  );
  return random.shuffled(all).slice(0, random.below(9));
}

function randomHold(random: Random, organization: OrganizationId, asOf: number): Partial<HoldSelectors> {
  const sometimes = <Value>(value: Value): Value | null => (random.below(3) === 0 ? value : null);
  const from = sometimes(random.below(1_000));
  const selectors = {
    namespaceId: sometimes(random.pick([organization, ...SETTABLE])),
    sessionId: sometimes(random.pick(['s1', 's2', 's3'])),
    userId: sometimes(random.pick(['ada', 'ben', 'cleo', 'service'])),
    agentId: sometimes(random.pick(['coder', 'reviewer'])),
    from: from === null ? null : new Date(asOf - from * DAY),
    to: sometimes(new Date(asOf - random.below(from ?? 1_000) * DAY)),
  };
  return Object.values(selectors).some((selector) => selector !== null) && (from === null || from > 0 || selectors.to === null)
    ? selectors
    : { sessionId: 's1' };
}

describe('retention and holds together', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('keep exactly what they must of random events (seed %i)', async (seed) => {
    const random = aRandom(seed);
    const [organization, asOf] = [anOrganizationId(), Date.now()];
    await aTree(organization);
    const settings = randomSettings(random, organization);
    for (const setting of settings) await retention.set(organization, setting);
    const facts = randomFacts(random, settings, asOf);
    await retention.store(
      organization,
      facts.map((one) => appendOf(organization, one)),
    );
    const holds: LegalHold[] = [];
    for (let count = random.below(7); count > 0; count -= 1)
      holds.push(await retention.hold(organization, randomHold(random, organization, asOf)));

    const promised = await retention.run(organization, { asOf: new Date(asOf), isDryRun: true });
    expect(await keptIn(owner, organization)).toEqual({
      events: sorted(facts),
      contents: sorted(facts.filter(({ hasContent }) => hasContent)),
    });
    const done = await retention.run(organization, { asOf: new Date(asOf) });

    const kept = model(organization, facts, settings, holds, asOf);
    expect(await keptIn(owner, organization)).toEqual({ events: sorted(kept.events), contents: sorted(kept.contents) });
    expect(promised).toEqual(done);
    expect(await recordedDrops(owner, organization)).toEqual(
      expect.arrayContaining(done.drops.map((drop) => JSON.parse(JSON.stringify(drop)))),
    );
    const count = (of: readonly RetentionClass[]) =>
      done.drops.filter((drop) => of.includes(drop.class)).reduce((sum, drop) => sum + drop.count, 0);
    expect(count(['METADATA', 'DECISIONS'])).toBe(facts.length - kept.events.length);
    expect(count(['CONTENT'])).toBe(facts.filter(({ hasContent }) => hasContent).length - kept.contents.length);

    for (const hold of holds) await retention.lift(organization, hold);
    await retention.run(organization, { asOf: new Date(asOf) });
    const free = model(organization, facts, settings, [], asOf);
    expect(await keptIn(owner, organization)).toEqual({ events: sorted(free.events), contents: sorted(free.contents) });
  });
});
