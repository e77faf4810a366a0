import { describe, expect, it } from '@jest/globals';
import { eventFrom, eventOf, NO_FILTER, type ArchivePage } from '../../src/audit/index.js';
import { canonicalEvent } from '../../src/audit/event.js';
import { organizationId, userId } from '../../src/kernel/index.js';
import type { Backtest, Comparison } from '../../src/policy/backtest/backtest.js';
import { replayer } from '../../src/policy/backtest/replay.js';
import { startSumming } from '../../src/policy/backtest/report.js';
import { runBacktest } from '../../src/policy/backtest/run-backtest.js';
import { NOTHING_TALLIED, type Tally } from '../../src/policy/backtest/tally.js';
import { compiledEngine } from '../../src/policy/compiled-engine.js';
import { evaluate, preparePolicySet } from '../../src/policy/evaluate.js';
import { DECISION_EVENT, factsOf } from '../../src/policy/recorded-call.js';
import type { PolicyInForce } from '../../src/policy/policy.js';
import type { ToolCall } from '../../src/policy/tool-call.js';
import { aRandom, type Random } from '../support/random.js';
import { aCall, aPolicy } from './a-call.js';
import { aPolicyText } from './generated-policies.js';

const COMPANY = organizationId('company');
const PERMIT = 'permit (principal, action, resource);';
const NO_SECRETS = 'forbid (principal, action, resource) when { resource.hasTag("path") && resource.getTag("path") like "/etc/*" };';

/** The line of the log that records a decision on the call. */
function lineOf(call: ToolCall, more: { readonly redacted?: readonly string[]; readonly data?: object } = {}): string {
  const event = eventOf(COMPANY, call.now, {
    ...{ type: DECISION_EVENT, source: '/agent-governance', sourceId: JSON.stringify(call), occurredAt: call.now.toISOString() },
    ...{ projectId: 'api', userId: call.user.id, agentId: call.agent.id, sessionId: call.sessionId, callId: null, tool: call.tool.id },
    ...{ verdict: 'ALLOW', outcome: null, redacted: more.redacted ?? [] },
    data: {
      ...{ toolId: call.tool.id, toolDefinitionDigest: call.tool.definitionDigest, actionType: call.tool.actionType },
      ...{ arguments: call.arguments, facts: factsOf(call), ...more.data },
    },
  });
  return canonicalEvent(event);
}

/** A call of what policies made by `aPolicyText` speak of. */
function aRandomCall(random: Random, index: number): ToolCall {
  const call = aCall();
  const [organization, group] = call.projectLine;
  if (organization === undefined || group === undefined) throw new Error('There are four levels.');
  const server = `com.example.${random.below(9)}`;
  return {
    ...call,
    agent: {
      ...call.agent,
      id: `agent ${random.below(20)}`,
      classes: [random.pick(['coding', 'ops', 'review'])],
      trust: random.below(100),
    },
    user: { id: 'ada', level: random.pick([20, 30, 40, 50]), teams: [`team ${random.below(9)}`] },
    projectLine: [
      organization,
      { ...group, id: `group ${random.below(20)}` },
      { id: `project ${random.below(50)}`, kind: 'PROJECT', dataClass: random.below(4), isFrozen: random.below(5) === 0 },
    ],
    tool: {
      ...call.tool,
      ...{ id: `${server}/tool`, server, isElsewhere: random.below(4) === 0, risk: 1 + random.below(4) },
      ...{ labels: [random.pick(['network', 'exec', 'secrets'])], actionType: random.pick(['READ', 'WRITE', 'DESTROY'] as const) },
    },
    arguments: { path: `/etc/${random.below(99)}`, amount: random.below(20_000), force: random.below(2) === 0 },
    sessionId: `run ${index}`,
    now: new Date(1_790_000_000_000 + index * 3_600_000),
    approval: random.below(4) === 0 ? { level: 40, count: 1 + random.below(2) } : null,
    promises: random.below(3) === 0 ? ['redact:pii', 'log:full', 'confirm'] : [],
  };
}

async function aComparison(text: string): Promise<Comparison> {
  const before = [await aPolicy(PERMIT, { id: 'permit' })];
  return { before, after: [...before, await aPolicy(text, { id: 'draft' })], baseline: 'IN_FORCE' };
}

describe('recorded decisions that are asked again', () => {
  it('are answered as the calls that they were about would be', async () => {
    const random = aRandom(1);
    const calls = Array.from({ length: 200 }, (_, index) =>
      aCall({
        arguments: { path: random.pick(['/etc/passwd', 'README.md', '/srv']), [random.pick(['url', '__proto__', 'q'])]: index },
        user: { id: 'ada', level: random.pick([20, 30, 40]), teams: [] },
        now: new Date(1_790_000_000_000 + index * 3_600_000),
      }),
    );
    const comparison = await aComparison(
      `${NO_SECRETS} forbid (principal, action, resource) when { context.role < 30 && context.local.hour < 12 };`,
    );
    const [before, after] = [comparison.before, comparison.after].map((policies) => preparePolicySet(compiledEngine, policies));
    if (before === undefined || after === undefined) throw new Error('There are two.');

    const tally = replayer(compiledEngine, comparison)(calls.map((call) => lineOf(call)));

    const denied = calls.filter((call) => evaluate(before, call).verdict === 'ALLOW' && evaluate(after, call).verdict === 'DENY');
    expect(denied.length).toBeGreaterThan(20);
    expect(tally).toMatchObject({ totals: { decisions: 200, newlyDenied: denied.length, newlyAsked: 0, newlyAllowed: 0 }, skipped: 0 });
    expect(tally.changed.map(({ eventId }) => eventId)).toEqual(denied.map((call) => eventFrom(lineOf(call)).id));
    expect(tally.changed.every(({ policyIds }) => policyIds.includes('draft'))).toBe(true);
  });

  it.each([...Array(6).keys()])('come to what two evaluations of each come to, whatever changes (seed %i)', async (seed) => {
    const random = aRandom(100 + seed);
    const written = async (count: number, name: string) =>
      Promise.all(
        Array.from({ length: count }, (_, index) =>
          aPolicy(aPolicyText(random, `${name}${index}`), {
            ...{ id: `${name} ${index}`, name, namespaceId: random.pick(['company', 'company', 'company', 'group 3']) },
          }),
        ),
      );
    const kept = [await aPolicy(PERMIT, { id: 'permit' }), ...(await written(6, 'kept'))];
    const before = [...kept, ...(await written(6, 'lifted'))];
    const after = [...kept, ...(await written(6, 'made'))];
    const calls = Array.from({ length: 300 }, (_, index) => aRandomCall(random, index));

    const tally = replayer(compiledEngine, { before, after, baseline: 'IN_FORCE' })(calls.map((call) => lineOf(call)));

    const at = ({ projectLine }: ToolCall) => {
      const line = projectLine.map(({ id }) => id);
      const held = (policies: readonly PolicyInForce[]) =>
        preparePolicySet(
          compiledEngine,
          policies.filter(({ namespaceId }) => line.includes(namespaceId)),
        );
      return [held(before), held(after)] as const;
    };
    const expected = calls.flatMap((call) => {
      const [now, then] = at(call);
      const [was, is] = [evaluate(now, call).verdict, evaluate(then, call).verdict];
      return was === is ? [] : [{ eventId: eventFrom(lineOf(call)).id, before: was, after: is }];
    });
    expect(expected.length).toBeGreaterThan(0);
    expect(tally.changed.map(({ eventId, before: was, after: is }) => ({ eventId, before: was, after: is }))).toEqual(expected);
  });

  it('count as skipped without their facts, and as without arguments where those were not kept', async () => {
    const call = aCall({ arguments: { path: '/etc/passwd' } });
    const lines = [
      lineOf(call),
      lineOf({ ...call, sessionId: 'a' }, { data: { facts: undefined } }),
      lineOf({ ...call, sessionId: 'b' }, { data: { arguments: undefined } }),
      lineOf({ ...call, sessionId: 'c' }, { redacted: ['data.arguments.path'] }),
    ];

    const tally = replayer(compiledEngine, await aComparison(NO_SECRETS))(lines);

    expect(tally).toMatchObject({ totals: { decisions: 3, newlyDenied: 2 }, skipped: 1, withoutArguments: 2, notReproduced: 0 });
  });

  it('are all counted, however many can be listed', () => {
    const changed = Array.from({ length: 3 }, (_, index) => ({
      ...{ eventId: `event ${index}`, change: 'NEWLY_DENIED', before: 'ALLOW', after: 'DENY', agentId: 'a', tool: 't', projectId: 'p' },
      policyIds: [],
    })) as Tally['changed'];
    const counts = { decisions: 5, newlyDenied: 3, newlyAsked: 0, newlyAllowed: 0 };
    const groups = [
      { dimension: 'TOOL', key: 't', ...counts },
      { dimension: 'AGENT', key: 'idle', decisions: 2, newlyDenied: 0, newlyAsked: 0, newlyAllowed: 0 },
    ] as const;
    const summing = startSumming(4);
    for (let batch = 0; batch < 2; batch += 1) summing.add({ ...NOTHING_TALLIED, totals: counts, groups, changed });

    const { report, changed: listed } = summing.sum();

    expect(listed).toHaveLength(4);
    expect(report).toMatchObject({ totals: { decisions: 10, newlyDenied: 6 }, callsLeftOut: 2, groupsLeftOut: 0 });
    expect(report.groups).toEqual([{ dimension: 'TOOL', key: 't', decisions: 10, newlyDenied: 6, newlyAsked: 0, newlyAllowed: 0 }]);
  });
});

describe('a backtest', () => {
  const at = new Date('2026-11-22T09:30:00.000Z');
  const backtest = { id: 'backtest', from: new Date('2026-11-22T00:00:00.000Z'), to: new Date('2026-11-23T00:00:00.000Z') } as Backtest;
  const pages: readonly ArchivePage[] = [
    { events: ['one'], examined: 10, last: '019aa8f1-2d40-7000-8000-000000000000' },
    { events: [], examined: 10, last: '019aa8f1-2d41-7000-8000-000000000000' },
    { events: ['two'], examined: 5, last: '019aa8f1-2d42-7000-8000-000000000000' },
    { events: [], examined: 0, last: null },
  ];

  /** Runs one over the pages; what it said and whether its threads were ended. */
  function running(tally: (events: readonly string[]) => Promise<Tally>, advance: () => Promise<boolean> = () => Promise.resolve(true)) {
    const [said, ended] = [[] as number[], [] as string[]];
    let page = 0;
    const deps = {
      archive: { read: () => Promise.resolve(pages[page++] ?? { events: [], examined: 0, last: null }) },
      backtests: {
        advance: (_organization: unknown, _id: string, { examined }: { readonly examined: number }) => {
          said.push(examined);
          return advance();
        },
      },
      replaying: {
        start: () => ({ width: 1, tally, end: () => Promise.resolve(void ended.push('threads')) }),
        close: () => Promise.resolve(),
      },
      clock: () => at,
    };
    const scope = { userId: userId('ada'), isWhole: true, namespaceIds: [], memberOf: [] };
    const comparison: Comparison = { before: [], after: [], baseline: 'IN_FORCE' };
    const run = {
      organizationId: COMPANY,
      backtest,
      comparison,
      inForceDigest: 'd',
      scope,
      filter: NO_FILTER,
      signal: new AbortController().signal,
    };
    return { done: runBacktest(deps, run), said, ended };
  }

  const counted: Tally = { ...NOTHING_TALLIED, totals: { decisions: 1, newlyDenied: 0, newlyAsked: 0, newlyAllowed: 0 } };

  it('looks at every page, and says how far it is', async () => {
    const { done, said, ended } = running(() => Promise.resolve(counted));

    expect((await done)?.report.totals.decisions).toBe(2);
    expect([said, ended]).toEqual([[25], ['threads']]);
  });

  it('fails when one page does, also the last, and ends its threads', async () => {
    const { done, ended } = running((events) => (events[0] === 'two' ? Promise.reject(new Error('No memory.')) : Promise.resolve(counted)));

    await expect(done).rejects.toThrow('No memory.');
    expect(ended).toEqual(['threads']);
  });

  it('ends without a report when it is not running any more', async () => {
    const { done, ended } = running(
      () => Promise.resolve(counted),
      () => Promise.resolve(false),
    );

    expect(await done).toBeNull();
    expect(ended).toEqual(['threads']);
  });
});
