import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decideInTime, keepSelfCheck, keepSnapshots, keepTrust, type DecidingInTime, type Question } from '../../src/decisions/index.js';
import type { Viewer } from '../../src/kernel/index.js';
import type { PolicyChanging } from '../../src/policy/index.js';
import { applyBundle } from '../../src/policy/changes/apply-bundle.js';
import { publishPolicy } from '../../src/policy/changes/publish-policy.js';
import { releasePolicy } from '../../src/policy/changes/release-policy.js';
import { rollBackPolicy } from '../../src/policy/changes/roll-back-policy.js';
import { setToolRules } from '../../src/policy/changes/set-tool-rules.js';
import { refusalOf } from '../../src/policy/graphql/refusals.js';
import { AT_ONCE } from '../../src/policy/policy.js';
import type { EngineQuestion } from '../../src/policy/self-check/ports.js';
import { threadReference } from '../../src/policy/thread/referring.js';
import { wasmEngine } from '../../src/policy/wasm/engines.js';
import { buggyEngine, comparing } from '../policy/buggy-engine.js';
import { aDraft, aPublishedPolicy, decisionOn, publishPolicy as publish } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aViewer, servicesOn, type TestServices } from '../support/services.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const PERMIT = 'permit (principal, action, resource);';
const OWNERS = '@id("owners only") permit (principal, action, resource) when { context.role >= 50 };';

let subgraph: TestSubgraph;
let second: TestServices;
beforeAll(async () => {
  subgraph = await aSubgraph();
  second = servicesOn(subgraph);
});
afterAll(async () => {
  await second.close();
  await subgraph.close();
});

interface Told {
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

interface Setting {
  readonly company: TestOrganization;
  readonly grace: Client;
  readonly viewer: Viewer;
  /** A process whose evaluator has a bug, and what it was asked and alarmed about. */
  readonly buggy: PolicyChanging;
  readonly asked: EngineQuestion[];
  readonly alarms: Told[];
  readonly call: Readonly<Record<string, unknown>>;
}

async function aSetting(bug = '<= is <'): Promise<Setting> {
  const company = await anOrganization(subgraph);
  const userId = `${company.id}/grace`;
  const grace = await company.member('OWNER', company.id, { userId });
  const asked: EngineQuestion[] = [];
  const alarms: Told[] = [];
  const comparison = comparing(buggyEngine(bug));
  const buggy: PolicyChanging = {
    ...second.services.policy,
    comparison: {
      ...comparison,
      compare(question) {
        asked.push(question);
        return comparison.compare(question);
      },
    },
    alarm: (message, details) => void alarms.push({ message, details }),
  };
  const call = { agentId: company.coder, projectId: company.api, tool: 'anything' };
  return { company, grace, viewer: aViewer(company.id, userId), buggy, asked, alarms, call };
}

const HALF = 'forbid (principal, action, resource) when { context.role <= 50 };';
const request = { ...AT_ONCE, text: null, cases: null, draftVersion: null, message: null };

type Warned = { readonly name: string };

/** What comes of it for an author who means whatever the service warns of. */
async function meant<Outcome extends { readonly kind: string }>(
  change: (confirm: readonly string[]) => Promise<Outcome>,
): Promise<Outcome> {
  let confirm: readonly string[] = [];
  for (;;) {
    const outcome = await change(confirm);
    const names = warningsIn(outcome).map(({ name }) => name);
    if (names.length === 0) return outcome;
    confirm = [...confirm, ...names];
  }
}

function warningsIn(outcome: object): readonly Warned[] {
  const { warnings = [], trials = [] }: { warnings?: readonly Warned[]; trials?: readonly { trial: { warnings: readonly Warned[] } }[] } =
    outcome;
  return [...warnings, ...trials.flatMap(({ trial }) => trial.warnings)];
}

describe('a publish', () => {
  it('is refused where what decides does not evaluate the text as Cedar does, and what was in force stays', async () => {
    const { company, grace, viewer, buggy, alarms, call } = await aSetting();
    const policyId = await aPublishedPolicy(grace, company.id, PERMIT, 'everything');
    const before = await decisionOn(grace, call);

    const text = `${PERMIT}\n@id("half")\n${HALF}`;
    const outcome = await meant((confirm) => publishPolicy(buggy, viewer, { ...request, policyId, basedOn: 1, text, confirm }));

    expect(outcome).toMatchObject({
      kind: 'selfCheckFailed',
      statements: [{ policyId, policyName: 'everything', number: 2, statement: 'half' }],
      requestDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(outcome.kind === 'selfCheckFailed' ? refusalOf.selfCheckFailed(outcome).message : '').toMatch(
      /statement 2 of "everything" as Cedar does. That is a fault of the service and not of the text/,
    );
    expect(alarms.slice(-1)).toEqual([
      {
        message: 'the compiled policies and Cedar do not agree: what was to come in force was kept back',
        details: expect.objectContaining({
          organizationId: company.id,
          requestDigest: 'requestDigest' in outcome ? outcome.requestDigest : '',
          statements: [expect.objectContaining({ policyName: 'everything' })],
        }),
      },
    ]);
    const after = await decisionOn(grace, call);
    expect([before.verdict, after.verdict, after.epoch]).toEqual(['ALLOW', 'ALLOW', before.epoch]);
    expect(after.reasons).toMatchObject([{ policyId, revision: 1 }]);
  });

  it('is told first what the caller can do something about', async () => {
    const { company, grace, viewer, buggy } = await aSetting();
    const policyId = await aPublishedPolicy(grace, company.id, PERMIT);

    expect(await publishPolicy(buggy, viewer, { ...request, policyId, basedOn: 0, text: PERMIT, confirm: [] })).toMatchObject({
      kind: 'conflict',
    });
    expect(await publishPolicy(buggy, viewer, { ...request, policyId, basedOn: 1, text: 'nonsense', confirm: [] })).toMatchObject({
      kind: 'invalid',
    });
  });

  it('asks recorded decisions of the namespace again, each kind once, and no others', async () => {
    const { company, grace, viewer, buggy, asked, call } = await aSetting();
    await aPublishedPolicy(grace, company.id, PERMIT);
    for (const tool of ['one', 'one', 'two']) await decisionOn(grace, { ...call, tool });
    await decisionOn(grace, { ...call, projectId: company.shop, tool: 'three' });
    const policyId = await aDraft(grace, company.payments, 'forbid (principal, action, resource) when { context.role == 10 };');

    const outcome = await meant((confirm) => publishPolicy(buggy, viewer, { ...request, policyId, basedOn: 0, confirm }));

    expect(outcome).toMatchObject({ kind: 'done' });
    const tools = asked
      .slice(-1)
      .flatMap(({ calls }) => calls.map(({ tool }) => tool.id))
      .filter((tool) => ['one', 'two', 'three'].includes(tool));
    expect(tools.sort()).toEqual(['one', 'two']);
  });

  it('asks beside what is in force at the namespace', async () => {
    const { company, grace, viewer, buggy, asked } = await aSetting();
    const above = await aPublishedPolicy(grace, company.id, PERMIT);
    const elsewhere = await aPublishedPolicy(grace, company.shop, PERMIT);
    const policyId = await aDraft(grace, company.payments, OWNERS);

    await meant((confirm) => publishPolicy(buggy, viewer, { ...request, policyId, basedOn: 0, confirm }));

    expect(elsewhere).not.toBe(above);
    expect(asked.slice(-1).map(({ own, beside }) => [own.map(({ id }) => id), beside.map(({ id }) => id)])).toEqual([
      [[policyId], [above]],
    ]);
  });

  it('passes where what decides is right, asked in a thread of its own', async () => {
    const { company, grace } = await aSetting();
    const policyId = await aDraft(grace, company.id, HALF);

    expect(await publish(grace, { policyId, basedOn: 0 })).toMatchObject({ policy: { latestRevision: 1 }, errors: [] });
  });
});

describe('whatever else puts a text in force is refused alike:', () => {
  it('a return to an old revision', async () => {
    const { company, grace, viewer, buggy } = await aSetting();
    const policyId = await aPublishedPolicy(grace, company.id, HALF);
    await publish(grace, { policyId, basedOn: 1, text: PERMIT });

    const back = { ...AT_ONCE, policyId, basedOn: 2, toRevision: 1, message: null };
    const outcome = await meant((confirm) => rollBackPolicy(buggy, viewer, { ...back, confirm }));

    expect(outcome).toMatchObject({ kind: 'selfCheckFailed', statements: [{ policyId, number: 1, statement: null }] });
  });

  it('a folder, as a whole, and the release of what was applied from it', async () => {
    const { company, viewer, buggy, asked } = await aSetting();
    const folder = {
      ...{ namespaceId: company.id, basedOn: [], adopt: [], repository: null, message: null },
      policies: [
        { name: 'all', description: null, text: PERMIT, cases: null, mode: 'ENFORCE' as const },
        { name: 'half', description: null, text: HALF, cases: null, mode: 'ENFORCE' as const },
      ],
    };

    const refused = await meant((confirm) => applyBundle(buggy, viewer, { ...folder, confirm }));
    const applied = await meant((confirm) => applyBundle({ ...buggy, comparison: null }, viewer, { ...folder, confirm }));

    expect(refused).toMatchObject({ kind: 'selfCheckFailed', statements: [{ policyName: 'half', number: 1 }] });
    expect(asked[0]?.own.map(({ name }) => name)).toEqual(['all', 'half']);
    const half = applied.kind === 'done' ? applied.results.find(({ name }) => name === 'half') : undefined;
    expect(half).toMatchObject({ action: 'CREATE' });
    expect(await releasePolicy(buggy, viewer, { policyId: half?.policyId ?? '', message: null })).toMatchObject({
      kind: 'selfCheckFailed',
      statements: [{ policyName: 'half' }],
    });
  });

  it('rules about tools', async () => {
    const { company, viewer, buggy } = await aSetting('policies are found by the entity alone');
    const rules = [{ tool: 'com.example.files/read_file', agentClass: 'coding', verdict: 'DENY' as const }];

    const outcome = await setToolRules(buggy, viewer, { namespaceId: company.id, rules, message: null });

    expect(outcome).toMatchObject({ kind: 'selfCheckFailed', statements: [{ policyName: 'tool rules', number: 1 }] });
  });
});

describe('one in so many decisions', () => {
  it('is made again by Cedar in a thread of its own; where that differs, Cedar decides until the policies change', async () => {
    const { company, grace, viewer } = await aSetting();
    const alarms: Told[] = [];
    const alarm = (message: string, details: Told['details']): void => void alarms.push({ message, details });
    const policyId = await aPublishedPolicy(grace, company.id, `${PERMIT}\n${HALF}`, 'half');
    const { deciding, policy, registry } = second.services;
    const trust = keepTrust(buggyEngine('<= is <'), wasmEngine);
    const reference = threadReference();
    const selfCheck = keepSelfCheck({ rate: 1, reference, trust, alarm });
    const hints = { announce: () => undefined, onMove: () => () => undefined };
    const snapshots = keepSnapshots({ ...registry, policies: policy.policies, trust, hints });
    const process: DecidingInTime = { ...deciding, snapshots, selfCheck };
    const unsaid = { environment: null, branch: null, isBranchProtected: null, surface: null, executionMode: null };
    const question: Question = {
      ...{ requestId: null, agentId: company.coder, projectId: company.api, tool: 'anything', arguments: {} },
      ...{ sessionId: null, callId: null, circumstances: unsaid, promises: [] },
    };
    const decided = async (): Promise<{ readonly verdict: string; readonly eventId: string }> => {
      const outcome = await decideInTime(process, viewer, question, 'GRAPHQL');
      if (outcome.kind !== 'decided') throw new Error('The project is not there.');
      return { verdict: outcome.decision.verdict, eventId: outcome.stored.event.id };
    };

    const wrong = await decided();
    await selfCheck.idle();
    const right = await decided();
    await publish(grace, { policyId, basedOn: 1, text: PERMIT });
    snapshots.close();
    const changed = await decided();
    await selfCheck.idle();
    await reference.close();

    expect([wrong.verdict, right.verdict, changed.verdict]).toEqual(['ALLOW', 'DENY', 'ALLOW']);
    expect(alarms.map(({ details }) => [details['eventId'], details['policies']])).toEqual([
      [wrong.eventId, [{ id: policyId, name: 'half', revision: 1 }]],
    ]);
    expect(trust.engineFor(viewer.organizationId, [])).toBe(trust.usual);
    expect(selfCheck.counts()).toEqual({ checked: 2, different: 1, dropped: 0, failed: 0 });
  });
});
