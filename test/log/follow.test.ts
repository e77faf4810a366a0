import { afterEach, describe, expect, it } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { followLogs, type Follower, type Tail } from '../../src/log/index.js';
import { acme } from '../audit/events.js';
import { aRandom } from '../support/random.js';
import { aMemoryLog } from './memory-log.js';

/** Far longer than anything here waits for; nothing waits for it. */
const LONG = 10_000;

let follower: Follower;
afterEach(() => follower.close());

function givenLog(events = 0) {
  const log = aMemoryLog();
  log.grow(events);
  const reported: unknown[] = [];
  follower = followLogs({ reader: log.reader, hints: log.hints, report: (_message, error) => reported.push(error) });
  return { log, reported, tail: () => follower.tail(acme) };
}

/** The positions that the tail gives from `from` until `size` of the log are passed, in the order given. */
async function positionsOf(tail: Tail, from: number, size: number): Promise<readonly number[]> {
  const positions: number[] = [];
  for (let next = from; next < size; next = (positions.at(-1) ?? from - 1) + 1) {
    const entries = await tail.next(next, LONG);
    if (entries === null) break;
    positions.push(...entries.map(({ position }) => position));
  }
  return positions;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe('a tail', () => {
  it('waits at the end until a hint comes', async () => {
    const { log, tail } = givenLog(3);

    const waiting = tail().next(3, LONG);
    log.grow(2);
    log.hint();

    expect((await waiting)?.map(({ position }) => position)).toEqual([3, 4]);
  });

  it('finds out by itself when no hint ever comes', async () => {
    const { log, tail } = givenLog(3);

    const waiting = tail().next(3, LONG);
    log.grow(2);

    expect((await waiting)?.map(({ position }) => position)).toEqual([3, 4]);
  });

  it.each([...Array(30).keys()])(
    'gives every entry once and in order, however hints are lost, doubled, early or late (seed %i)',
    async (seed) => {
      const random = aRandom(seed);
      const { log, tail } = givenLog(random.below(4) * 300);
      const starts = [0, 0, random.below(3)];

      const readers = starts.map((from) => positionsOf(tail(), from, 2_000));
      for (let size = await log.reader.size(acme); size < 2_000; size = await log.reader.size(acme)) {
        const hints = random.below(4);
        if (random.below(2) === 0) log.hint();
        log.grow(Math.min(2_000 - size, 1 + random.below(random.pick([2, 50, 700]))));
        for (let hint = 0; hint < hints; hint += 1) log.hint();
        if (random.below(3) === 0) await setImmediate();
      }

      expect(await Promise.all(readers)).toEqual(starts.map((from) => range(from, 2_000)));
    },
  );

  it('gives nothing after the wait that it was asked for', async () => {
    const { tail } = givenLog(3);

    expect(await tail().next(3, 5)).toEqual([]);
  });

  it('shares one reading of the end with every other', async () => {
    const { log, tail } = givenLog(10);
    const tails = range(0, 100).map(tail);
    await Promise.all(tails.map((one) => one.next(10, 5)));
    const before = log.reads();

    const waiting = tails.map((one) => one.next(10, LONG));
    log.grow(1);
    log.hint();

    expect((await Promise.all(waiting)).map((entries) => entries?.length)).toEqual(tails.map(() => 1));
    expect(log.reads() - before).toBeLessThanOrEqual(2);
  });

  it('that is slow gets what nobody keeps in memory any more, and loses nothing', async () => {
    const { log, tail } = givenLog(1);
    const [quick, slow] = [tail(), tail()];
    expect(await slow.next(0, LONG)).toHaveLength(1);

    const following = positionsOf(quick, 1, 8_001);
    for (let burst = 0; burst < 16; burst += 1) {
      log.grow(500);
      log.hint();
      await setImmediate();
    }

    expect(await following).toEqual(range(1, 8_001));
    expect(await positionsOf(slow, 1, 8_001)).toEqual(range(1, 8_001));
  });

  it('ends at once when it is closed while it waits, and lets the others wait on', async () => {
    const { log, tail } = givenLog(3);
    const [one, other] = [tail(), tail()];

    const ended = one.next(3, LONG);
    const waiting = other.next(3, LONG);
    await setImmediate();
    one.close();

    expect(await ended).toBeNull();
    expect(await one.next(0, LONG)).toBeNull();
    log.grow(1);
    log.hint();
    expect(await waiting).toHaveLength(1);
  });

  it('ends when it is closed while it reads', async () => {
    const { tail } = givenLog(3);
    const one = tail();

    const ended = one.next(0, LONG);
    one.close();

    expect(await ended).toBeNull();
  });

  it('may be opened again after the last one was closed', async () => {
    const { log, tail } = givenLog(3);
    const first = tail();
    await first.next(3, 1);
    first.close();
    first.close();
    log.grow(1);

    expect(await positionsOf(tail(), 0, 4)).toEqual([0, 1, 2, 3]);
  });

  it('says how long the log is', async () => {
    expect(await givenLog(3).tail().size()).toBe(3);
  });
});

describe('a store that cannot be read', () => {
  it('is reported, and followed again once it can', async () => {
    const { log, tail, reported } = givenLog(3);
    const one = tail();
    await one.next(3, 1);

    const waiting = one.next(3, LONG);
    log.breakWith(new Error('away'));
    log.grow(1);
    log.hint();
    await setImmediate();
    await setImmediate();
    log.breakWith(null);

    expect(await waiting).toHaveLength(1);
    expect(reported).toEqual([new Error('away')]);
  });

  it('fails whoever reads for itself', async () => {
    const { log, tail } = givenLog(3);
    log.breakWith(new Error('away'));

    await expect(tail().next(0, LONG)).rejects.toThrow('away');
  });
});

describe('a closed follower', () => {
  it('ends every tail, waiting or not', async () => {
    const { tail } = givenLog(3);
    const [waits, idle] = [tail(), tail()];

    const ended = waits.next(3, LONG);
    await setImmediate();
    follower.close();

    expect([await ended, await idle.next(0, LONG)]).toEqual([null, null]);
  });
});
