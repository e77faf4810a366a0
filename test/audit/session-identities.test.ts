import { describe, expect, it } from '@jest/globals';
import { rememberSessionIdentities, type SessionIdentity } from '../../src/audit/index.js';
import { organizationId } from '../../src/kernel/index.js';

const acme = organizationId('acme');
const run: SessionIdentity = { userId: 'ada', agentId: 'coder', surface: 'IDE', executionMode: null, parentSessionId: null };

/** Sessions that are read from a reader whose answer, and whose clock, the test sets. */
function remembered() {
  const state: { now: number; answer: SessionIdentity | null; isBroken: boolean; reads: number } = {
    ...{ now: 0, answer: null, isBroken: false, reads: 0 },
  };
  const sessions = rememberSessionIdentities(
    {
      async identity() {
        state.reads += 1;
        if (state.isBroken) throw new Error('away');
        return state.answer;
      },
    },
    () => new Date(state.now),
  );
  return { state, read: (organization = acme) => sessions.identity(organization, 'run') };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a session that is not known', () => {
  it('is asked for again after a second, and at the same time once', async () => {
    const { state, read } = remembered();

    await Promise.all([read(), read()]);
    state.now = 999;
    await read();
    expect(state.reads).toBe(1);
    state.now = 1_000;
    state.answer = run;

    expect(await read()).toEqual(run);
    expect(state.reads).toBe(2);
  });

  it('is not remembered where it could not be read', async () => {
    const { state, read } = remembered();
    state.isBroken = true;
    await expect(read()).rejects.toThrow('away');
    state.isBroken = false;
    state.answer = run;

    expect(await read()).toEqual(run);
  });
});

describe('a session that is known', () => {
  it('is answered from memory, and read again beside the answer after five seconds', async () => {
    const { state, read } = remembered();
    state.answer = run;
    await read();
    state.answer = { ...run, surface: 'CI' };

    state.now = 4_999;
    expect([await read(), state.reads]).toEqual([run, 1]);
    state.now = 5_000;
    expect([await read(), state.reads]).toEqual([run, 2]);
    await settled();
    expect([await read(), state.reads]).toEqual([{ ...run, surface: 'CI' }, 2]);
  });

  it('stays known while it cannot be read', async () => {
    const { state, read } = remembered();
    state.answer = run;
    await read();
    state.isBroken = true;
    state.now = 10_000;

    expect([await read(), await read()]).toEqual([run, run]);
  });

  it('says nothing of the session of that id in another organization', async () => {
    const { state, read } = remembered();
    state.answer = run;
    await read();
    state.answer = null;

    expect(await read(organizationId('other'))).toBeNull();
  });
});
