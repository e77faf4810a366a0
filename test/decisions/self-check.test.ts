import { describe, expect, it } from '@jest/globals';
import { keepSelfCheck, keepTrust } from '../../src/decisions/index.js';
import { organizationId } from '../../src/kernel/index.js';
import { compiledEngine, evaluate, preparePolicySet, type PolicyEngine, type Reference } from '../../src/policy/index.js';
import { wasmEngine } from '../../src/policy/wasm/engines.js';
import { aCall, anUncheckedPolicy } from '../policy/a-call.js';
import { buggyEngine } from '../policy/buggy-engine.js';

const company = organizationId('company');
const policies = [
  anUncheckedPolicy('permit (principal, action, resource);', { id: 'all', name: 'all' }),
  anUncheckedPolicy('forbid (principal, action, resource) when { context.role <= 30 };', { id: 'seniors', name: 'seniors', revision: 3 }),
];

/** Cedar itself, held back until the test lets it answer. */
function aReference(): { readonly reference: Reference; release(): void; readonly asked: number[] } {
  const asked: number[] = [];
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  return {
    asked,
    release: () => open(),
    reference: {
      async evaluate(given, call) {
        asked.push(given.length);
        await gate;
        return evaluate(preparePolicySet(wasmEngine, given), call);
      },
      close: async () => undefined,
    },
  };
}

interface Options {
  readonly usual?: PolicyEngine;
  readonly rate?: number;
  readonly draw?: () => number;
  readonly reference?: Reference;
}

function aSelfCheck({ usual = buggyEngine('<= is <'), rate = 1, draw = () => 0, reference }: Options = {}) {
  const alarms: unknown[] = [];
  const restored: string[] = [];
  const held = aReference();
  const trust = keepTrust(usual, wasmEngine, (organization) => void restored.push(organization));
  const alarm = (message: string, details: Readonly<Record<string, unknown>>): void => void alarms.push({ message, ...details });
  const selfCheck = keepSelfCheck({ rate, reference: reference ?? held.reference, trust, alarm, draw });
  const set = preparePolicySet(usual, policies);
  const call = aCall();
  const offer = (eventId: string): void =>
    selfCheck.offer({ organizationId: company, eventId, set, call, evaluation: evaluate(set, call) });
  return { selfCheck, trust, alarms, restored, offer, ...held };
}

describe('a decision that is made again by Cedar', () => {
  it('alarms where it comes out otherwise, with its event and the policies, and Cedar decides from then on', async () => {
    const { selfCheck, trust, alarms, offer, release } = aSelfCheck();
    const told: string[] = [];
    trust.onDistrust((organization) => void told.push(organization));

    offer('event 1');
    const before = trust.engineFor(company, policies);
    release();
    await selfCheck.idle();

    expect(before).toBe(trust.usual);
    expect(alarms).toMatchObject([
      {
        message: expect.stringContaining('from now on Cedar decides'),
        ...{ organizationId: 'company', eventId: 'event 1', differences: 1 },
        policies: [
          { id: 'all', name: 'all', revision: 1 },
          { id: 'seniors', name: 'seniors', revision: 3 },
        ],
      },
    ]);
    expect(told).toEqual(['company']);
    expect(trust.engineFor(company, policies)).toBe(wasmEngine);
    expect(trust.engineFor(organizationId('other'), policies)).toBe(trust.usual);
    expect(selfCheck.counts()).toEqual({ checked: 1, different: 1, dropped: 0, failed: 0 });
  });

  it('is believed in again when none of those policies is in force any more, and that is told', async () => {
    const { selfCheck, trust, restored, offer, release } = aSelfCheck();
    offer('event 1');
    release();
    await selfCheck.idle();
    const changed = policies.map((policy) => ({ ...policy, revision: policy.revision + 1 }));

    const engines = [policies, [...changed, ...policies.slice(1)], changed, policies].map((held) => trust.engineFor(company, held));

    expect(engines).toEqual([wasmEngine, wasmEngine, trust.usual, trust.usual]);
    expect(restored).toEqual(['company']);
  });

  it('changes nothing where it comes out the same', async () => {
    const { selfCheck, trust, alarms, offer, release } = aSelfCheck({ usual: compiledEngine });
    offer('event 1');
    release();
    await selfCheck.idle();

    expect([alarms, trust.engineFor(company, policies), selfCheck.counts().checked]).toEqual([[], compiledEngine, 1]);
  });

  it('is dropped while too many wait, and never asked about before the answer has gone out', async () => {
    const { selfCheck, offer, release, asked } = aSelfCheck({ usual: compiledEngine });
    for (let count = 0; count < 20; count += 1) offer(`event ${count}`);
    const askedAtOnce = asked.length;
    release();
    await selfCheck.idle();

    expect(askedAtOnce).toBe(0);
    expect(selfCheck.counts()).toEqual({ checked: 8, different: 0, dropped: 12, failed: 0 });
  });

  it('is one of so many, and none with the rate 0', async () => {
    const drawn = [0.0009, 0.001, 0.5, 0.999];
    const some = aSelfCheck({ usual: compiledEngine, rate: 1_000, draw: () => drawn.shift() ?? 1 });
    const none = aSelfCheck({ usual: compiledEngine, rate: 0 });
    for (const { offer, release, selfCheck } of [some, none]) {
      for (let count = 0; count < 4; count += 1) offer(`event ${count}`);
      release();
      await selfCheck.idle();
    }

    expect([some.selfCheck.counts().checked, none.selfCheck.counts().checked]).toEqual([1, 0]);
  });

  it('tells when Cedar cannot say anything, and decides on as before', async () => {
    const reference: Reference = { evaluate: () => Promise.reject(new Error('gone')), close: async () => undefined };
    const { selfCheck, trust, alarms, offer } = aSelfCheck({ reference });
    offer('event 1');
    await selfCheck.idle();

    expect(alarms).toMatchObject([{ message: 'a decision could not be checked with Cedar', eventId: 'event 1' }]);
    expect(trust.engineFor(company, policies)).toBe(trust.usual);
  });
});
