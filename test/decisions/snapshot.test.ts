import { describe, expect, it } from '@jest/globals';
import { keepSnapshots, keepTrust, type Snapshots } from '../../src/decisions/index.js';
import type { Agent, Namespace } from '../../src/directory/index.js';
import { organizationId, userId, type OrganizationId } from '../../src/kernel/index.js';
import { evaluate, type PolicyInForce } from '../../src/policy/index.js';
import { bothEngines, wasmEngine } from '../../src/policy/wasm/engines.js';
import { aCall, anUncheckedPolicy } from '../policy/a-call.js';

const company = organizationId('company');
const api: Namespace = {
  ...{ id: 'api', kind: 'PROJECT', parentId: 'company', path: 'api', name: 'api', ancestors: ['company', 'api'] },
  ...{ dataClass: null, isFrozen: false, timeZone: null },
};
const coder: Agent = { id: 'coder', name: 'coder', classes: [], trust: 1, ownerId: null, autonomous: false };

/** A store of one organization, whose epoch, policies and clock the test moves, and which counts what it is asked. */
function givenAStore() {
  const asked: string[] = [];
  const store = { epoch: 1, now: 0, policies: [] as readonly PolicyInForce[], agent: coder as Agent | null, isAway: false };
  let announce: (organization: OrganizationId) => void = () => undefined;
  /** Resolvers of epoch questions, while the test holds them back. */
  const held: (() => void)[] = [];
  const trust = keepTrust(bothEngines, wasmEngine);
  const control = { isHolding: false };
  const snapshots: Snapshots = keepSnapshots({
    directory: {
      lines: () => Promise.reject(new Error('not asked here')),
      async epoch() {
        asked.push('epoch');
        const { epoch } = store;
        if (control.isHolding) await new Promise<void>((resolve) => held.push(resolve));
        if (store.isAway) throw new Error('away');
        return epoch;
      },
      async agent() {
        asked.push('agent');
        if (store.isAway) throw new Error('away');
        return store.agent;
      },
      user: async () => null,
      namespaces: async (_organization, ids) => [api].filter(({ id }) => ids.includes(id)),
      standing: async (_organization, user) => ({
        userId: user,
        memberships: [{ namespaceId: 'company', userId: user, role: 'MAINTAINER' }],
      }),
    },
    policies: {
      async inForce() {
        asked.push('policies');
        return store.policies;
      },
    },
    tools: { byIds: async () => [], byAnyName: async () => [], list: async () => [], listFor: async () => [] },
    trust,
    hints: {
      announce: (organization) => announce(organization),
      onMove(listener) {
        announce = listener;
        return () => (announce = () => undefined);
      },
    },
    clock: () => new Date(store.now),
    confirmWithinMilliseconds: 20,
  });
  const release = (): void => {
    control.isHolding = false;
    for (const resolve of held.splice(0)) resolve();
  };
  return { store, asked, trust, snapshots, hold: () => (control.isHolding = true), release, announce: () => announce(company) };
}

/** When whatever is going on without time passing has happened. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('the facts that decisions read', () => {
  it('are read once, and confirmed again only after half a second', async () => {
    const { store, asked, snapshots } = givenAStore();

    await Promise.all([snapshots.current(company), snapshots.current(company)]);
    store.now = 499;
    await snapshots.current(company);
    const before = [...asked];
    store.now = 500;
    await snapshots.current(company);

    expect(before).toEqual(['epoch', 'policies', 'epoch']);
    expect(asked).toEqual([...before, 'epoch']);
  });

  it('are the same while the epoch is, and others as a whole when it has moved', async () => {
    const { store, snapshots } = givenAStore();
    const first = await snapshots.current(company);
    store.now = 600;
    const same = await snapshots.current(company);
    store.epoch = 2;
    store.policies = [anUncheckedPolicy('permit (principal, action, resource);')];
    store.now = 1_200;
    const next = await snapshots.current(company);

    expect(same).toBe(first);
    expect([first.epoch, next.epoch]).toEqual([1, 2]);
    expect([
      evaluate(first.policySet(api, new Date(0)), aCall()).verdict,
      evaluate(next.policySet(api, new Date(0)), aCall()).verdict,
    ]).toEqual(['DENY', 'ALLOW']);
  });

  it('are confirmed again when the clock was set back: nobody knows how much time has passed', async () => {
    const { store, snapshots } = givenAStore();
    await snapshots.current(company);
    store.epoch = 2;
    store.now = -3_600_000;

    expect((await snapshots.current(company)).epoch).toBe(2);
  });

  it('are all of one epoch: reading begins anew when it moves meanwhile', async () => {
    const { store, snapshots } = givenAStore();
    const seen: unknown[] = [];

    const read = await snapshots.read(company, async (facts) => {
      const level = await facts.level(userId('ada'), api);
      if (seen.push(facts.epoch) === 1) Object.assign(store, { epoch: 2, agent: { ...coder, trust: 90 } });
      return { epoch: facts.epoch, level, trust: (await facts.agent('coder'))?.trust };
    });

    expect(seen).toEqual([1, 2]);
    expect(read).toEqual({ epoch: 2, level: 40, trust: 90 });
  });

  it('are not to be had while the epoch moves every time', async () => {
    const { store, snapshots } = givenAStore();

    const reading = snapshots.read(company, async (facts) => {
      store.epoch += 1;
      return facts.agent(`agent ${store.epoch}`);
    });

    await expect(reading).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('are confirmed at once after a hint', async () => {
    const { store, snapshots, announce } = givenAStore();
    await snapshots.current(company);
    store.epoch = 2;

    const unhinted = await snapshots.current(company);
    announce();

    expect([unhinted.epoch, (await snapshots.current(company)).epoch]).toEqual([1, 2]);
  });

  it('are never taken from a look that began before a hint, nor overwritten by one', async () => {
    const { store, snapshots, announce, hold, release } = givenAStore();
    hold();
    const early = snapshots.current(company);
    store.epoch = 2;
    announce();
    release();

    const late = await snapshots.current(company);
    await early;

    expect(late.epoch).toBe(2);
    expect((await snapshots.current(company)).epoch).toBe(2);
  });

  it('are not to be had when the epoch cannot be confirmed, and are again afterwards', async () => {
    const { store, snapshots } = givenAStore();
    await snapshots.current(company);
    store.now = 500;
    store.isAway = true;

    await expect(snapshots.current(company)).rejects.toThrow('away');
    store.isAway = false;

    expect((await snapshots.current(company)).epoch).toBe(1);
  });

  it('are not to be had when there is no word about the epoch in time, and are again afterwards', async () => {
    const { store, snapshots, hold, release } = givenAStore();
    await snapshots.current(company);
    store.now = 500;
    hold();
    const waiting = [snapshots.current(company), snapshots.current(company)];

    for (const read of waiting) await expect(read).rejects.toMatchObject({ code: 'UNAVAILABLE', message: /within a second/ });
    release();

    expect((await snapshots.current(company)).epoch).toBe(1);
  });

  it('are made ready after a hint before anybody asks, where somebody has asked in the last minute', async () => {
    const { store, asked, snapshots, announce } = givenAStore();
    await snapshots.current(company);
    store.epoch = 2;
    store.now = 100;

    announce();
    const atOnce = asked.slice(3);
    await settled();
    const ready = asked.length;
    const facts = await snapshots.current(company);

    expect([atOnce, asked.slice(3, ready)]).toEqual([['epoch'], ['epoch', 'policies', 'epoch']]);
    expect([facts.epoch, asked.length]).toEqual([2, ready]);
  });

  it('are made ready once more when a hint came meanwhile, and not for every one', async () => {
    const { store, asked, snapshots, announce, hold, release } = givenAStore();
    await snapshots.current(company);
    hold();
    for (let count = 0; count < 10; count += 1) announce();
    store.epoch = 2;
    release();
    await settled();

    expect(asked.slice(3).filter((what) => what === 'policies')).toHaveLength(1);
    expect((await snapshots.current(company)).epoch).toBe(2);
  });

  it('are left alone after a hint where nobody has asked for a minute', async () => {
    const { store, asked, snapshots, announce } = givenAStore();
    await snapshots.current(company);
    store.now = 60_000;
    announce();
    await settled();

    expect(asked).toEqual(['epoch', 'policies', 'epoch']);
  });

  it('are read anew when what made them ready is not trusted any more', async () => {
    const { asked, snapshots, trust } = givenAStore();
    const first = await snapshots.current(company);
    trust.distrust(company, []);

    const next = await snapshots.current(company);

    expect(next).not.toBe(first);
    expect(asked).toEqual(['epoch', 'policies', 'epoch', 'epoch', 'policies', 'epoch']);
  });

  it('are remembered of an agent that is not known, and not of a look that failed', async () => {
    const { store, asked, snapshots } = givenAStore();
    const facts = await snapshots.current(company);
    store.isAway = true;
    await expect(facts.agent('coder')).rejects.toThrow('away');
    store.isAway = false;
    store.agent = null;

    expect([await facts.agent('coder'), await facts.agent('coder')]).toEqual([null, null]);
    expect(asked.filter((what) => what === 'agent')).toHaveLength(2);
  });

  it('know projects and levels', async () => {
    const facts = await givenAStore().snapshots.current(company);

    expect(await facts.project('api')).toBe(api);
    expect(await facts.project('company')).toBeNull();
    expect(await facts.level(userId('ada'), api)).toBe(40);
  });

  it('hear no hints any more once closed', async () => {
    const { asked, snapshots, announce } = givenAStore();
    await snapshots.current(company);
    snapshots.close();

    announce();

    expect(asked).toEqual(['epoch', 'policies', 'epoch']);
  });
});
