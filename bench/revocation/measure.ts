import { setTimeout as delay } from 'node:timers/promises';
import { createPolicy, PROBE, publish, untilVerdict, type Administrator } from '../policy/setting.js';
import { showProgress } from '../support/progress.js';
import { evenly, type Random } from '../support/random.js';

/** Milliseconds of one way that processes hear of changes. */
export interface Revocations {
  /** From the answer to a publish until another process denies, a sample for each of them; 0 when it denied before. */
  readonly milliseconds: readonly number[];
  /** From the question to publish to its answer. */
  readonly publish: readonly number[];
}

export interface RevocationMeasuring {
  measure(way: string, rounds: number): Promise<Revocations>;
  readonly decisions: readonly number[];
}

const FORBID = `forbid (principal, action, resource in Tool::"${PROBE}");`;
/** Of the same size, about something that nobody asks for. */
const LIFTED = `forbid (principal, action, resource in Tool::"${PROBE} of another server");`;

/** How far apart rounds begin in the half second after which a process asks by itself. */
const SPREAD_MILLISECONDS = 500;
const DECISIONS = 50;

/** Gets ready to publish a forbid and to lift it again, in turns, while all others are asked all the time. */
export async function measureRevocations(
  publisher: Administrator,
  others: readonly Administrator[],
  random: Random,
): Promise<RevocationMeasuring> {
  const policyId = await createPolicy(publisher, LIFTED);
  let revision = 0;
  const put = async (text: string): Promise<number> => {
    const startedAt = performance.now();
    await publish(publisher, policyId, revision, text);
    revision += 1;
    return performance.now() - startedAt;
  };
  const all = [publisher, ...others];
  const allSay = (verdict: string): Promise<unknown> => Promise.all(all.map((each) => untilVerdict(each, verdict)));
  await put(LIFTED);
  await allSay('ALLOW');
  const decisions: number[] = [];
  for (let count = 0; count < DECISIONS; count += 1) for (const each of others) decisions.push(await untilVerdict(each, 'ALLOW'));
  return {
    decisions,
    async measure(way, rounds) {
      const [milliseconds, published]: [number[], number[]] = [[], []];
      const progress = showProgress(`Revoking (${way})`, rounds, 'rounds');
      for (let round = 0; round < rounds; round += 1) {
        await delay(evenly(random, SPREAD_MILLISECONDS));
        const denials = others.map(async (each) => {
          await untilVerdict(each, 'DENY');
          return performance.now();
        });
        published.push(await put(FORBID));
        const answeredAt = performance.now();
        for (const deniedAt of await Promise.all(denials)) milliseconds.push(Math.max(0, deniedAt - answeredAt));
        await put(LIFTED);
        await allSay('ALLOW');
        progress.advance(1);
      }
      progress.stop();
      return { milliseconds, publish: published };
    },
  };
}
