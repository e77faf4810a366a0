import { afterEach, describe, expect, it } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { startSequencer, type LogHints, type Sequencer, type Sequencing } from '../../src/log/index.js';
import type { SequencerSeat } from '../../src/log/ports.js';
import { acme } from '../audit/events.js';

const running: Sequencer[] = [];
afterEach(() => Promise.all(running.splice(0).map((sequencer) => sequencer.stop())));

/** A store with events that wait for their positions, one seat, and hints that arrive at once. */
function givenStore() {
  let waiting = 0;
  let size = 0;
  let steps = 0;
  let isTaken = false;
  let breaks = 0;
  const stored = new Set<() => void>();
  const grown: number[] = [];
  const watchers: { readonly until: () => boolean; readonly resolve: () => void }[] = [];
  const changed = (): void => {
    for (const watcher of watchers.filter(({ until }) => until())) watchers.splice(watchers.indexOf(watcher), 1)[0]?.resolve();
  };
  const counts = { asked: 0, taken: 0, left: 0 };

  const seat = (): SequencerSeat => ({
    async step(limit) {
      await setImmediate();
      steps += 1;
      if (breaks > 0) {
        breaks -= 1;
        throw new Error('connection lost');
      }
      const events = Math.min(limit, waiting);
      waiting -= events;
      size += events;
      changed();
      return { events, heads: events > 0 ? [{ organizationId: acme, size }] : [] };
    },
    async leave() {
      isTaken = false;
      counts.left += 1;
      changed();
    },
  });
  const sequencing: Sequencing = {
    async take() {
      await setImmediate();
      counts.asked += 1;
      changed();
      if (isTaken) return null;
      isTaken = true;
      counts.taken += 1;
      return seat();
    },
  };
  const hints: LogHints = {
    announceStored: () => stored.forEach((listener) => listener()),
    onStored: (listener) => {
      stored.add(listener);
      return () => stored.delete(listener);
    },
    announceGrowth: (_organization, to) => {
      grown.push(to);
      changed();
    },
    onGrowth: () => () => undefined,
  };
  const reported: string[] = [];
  return {
    counts,
    grown,
    reported,
    hint: hints.announceStored,
    steps: () => steps,
    store: (events: number) => void (waiting += events),
    breakNext: (times: number) => void (breaks = times),
    start() {
      const sequencer = startSequencer({
        sequencing,
        hints,
        report: (message, error) => void reported.push(`${message} ${String(error)}`),
      });
      running.push(sequencer);
      return sequencer;
    },
    until: (until: () => boolean) => new Promise<void>((resolve) => (until() ? resolve() : watchers.push({ until, resolve }))),
    sequenced: () => size,
  };
}

describe('the sequencer', () => {
  it('gives positions at a hint and says how far the log has grown', async () => {
    const { start, store, hint, until, grown } = givenStore();
    start();

    store(3);
    hint();
    await until(() => grown.at(-1) === 3);
    store(2);
    hint();
    await until(() => grown.at(-1) === 5);

    expect(grown).toEqual([3, 5]);
  });

  it('finds what is stored without a hint', async () => {
    const { start, store, until, sequenced } = givenStore();
    start();
    await until(() => true);

    store(1);
    await until(() => sequenced() === 1);
  });

  it('works through a backlog in steps of at most 5,000 without a pause', async () => {
    const { start, store, until, grown, sequenced } = givenStore();
    store(12_345);

    start();
    await until(() => sequenced() === 12_345 && grown.length === 3);

    expect(grown).toEqual([5_000, 10_000, 12_345]);
  });

  it('loses no hint that comes while it works', async () => {
    const { start, store, hint, until, sequenced } = givenStore();
    start();

    for (let event = 1; event <= 200; event += 1) {
      store(1);
      hint();
      if (event % 7 === 0) await setImmediate();
    }

    await until(() => sequenced() === 200);
  });

  it('goes on after a lost connection, with a seat taken anew', async () => {
    const { start, store, hint, until, sequenced, breakNext, counts, reported } = givenStore();
    breakNext(1);
    start();
    await until(() => counts.left === 1);

    store(1);
    hint();
    await until(() => sequenced() === 1);

    expect(counts).toEqual({ asked: 2, taken: 2, left: 1 });
    expect(reported).toEqual(['The sequencer lost its connection; events are stored but wait for their positions. Error: connection lost']);
  });

  it('gives up the seat when it stops, and takes no step more', async () => {
    const { start, store, hint, until, counts, steps } = givenStore();
    const sequencer = start();
    await until(() => counts.taken === 1);

    await sequencer.stop();
    const before = steps();
    store(1);
    hint();
    await setImmediate();

    expect(counts.left).toBe(1);
    expect(steps()).toBe(before);
  });

  it('stops while it is asking for the seat, and keeps none', async () => {
    const { start, counts } = givenStore();

    await start().stop();

    expect(counts.taken).toBe(counts.left);
  });
});

describe('two sequencers', () => {
  it('have one seat: the second takes over when the first leaves', async () => {
    const { start, store, hint, until, counts, sequenced } = givenStore();
    const first = start();
    await until(() => counts.taken === 1);
    start();
    await until(() => counts.asked === 2);
    expect(counts.taken).toBe(1);

    await first.stop();
    store(4);
    await until(() => sequenced() === 4);
    hint();

    expect(counts.taken).toBe(2);
  });

  it('do not fight: who has no seat asks for it now and then, not at every commit', async () => {
    const { start, store, hint, until, counts, sequenced } = givenStore();
    start();
    await until(() => counts.taken === 1);
    start();
    await until(() => counts.asked === 2);

    for (let commit = 0; commit < 100; commit += 1) {
      store(1);
      hint();
      await setImmediate();
    }
    await until(() => sequenced() === 100);

    expect(counts.asked).toBeLessThan(10);
  });
});
