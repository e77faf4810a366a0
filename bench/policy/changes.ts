import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { loadPolicySet } from '../../src/platform/cedar-wasm.js';
import { showProgress } from '../support/progress.js';
import { createPolicy, PROBE, publish, untilVerdict, type Administrator } from './setting.js';

/** Milliseconds, a sample for each change of one policy. */
export interface ChangeSamples {
  /** From the question to publish to its answer. */
  readonly publish: readonly number[];
  /** From the question to publish until a decision, asked all the time, has the new verdict. */
  readonly effect: readonly number[];
}

const FORBID = `forbid (principal, action, resource in Tool::"${PROBE}");`;
/** Of the same size, about something that nobody asks for. */
const LIFTED = `forbid (principal, action, resource in Tool::"${PROBE} of another server");`;

/** Publishes a policy that forbids what everybody may do, and lifts it again, in turns. */
export async function measureChanges(administrator: Administrator, rounds: number): Promise<ChangeSamples> {
  const policyId = await createPolicy(administrator, LIFTED);
  await publish(administrator, policyId, 0, LIFTED);
  await untilVerdict(administrator, 'ALLOW');
  const samples = { publish: [] as number[], effect: [] as number[] };
  const progress = showProgress('Publishing a change', rounds, 'changes');
  for (let round = 0; round < rounds; round += 1) {
    const [text, verdict] = round % 2 === 0 ? [FORBID, 'DENY'] : [LIFTED, 'ALLOW'];
    const startedAt = performance.now();
    const answered = publish(administrator, policyId, round + 1, text).then(() => performance.now() - startedAt);
    samples.effect.push(await untilVerdict(administrator, verdict));
    samples.publish.push(await answered);
    progress.advance(1);
  }
  progress.stop();
  return samples;
}

/** What cedar-wasm takes to load as many policies anew, which it needs after every change, in milliseconds. */
export function wasmLoading(texts: readonly string[], rounds: number): readonly number[] {
  const statements = Object.fromEntries(texts.map((text, index) => [`policy ${index}`, estOf(text)]));
  return Array.from({ length: rounds }, () => {
    const startedAt = performance.now();
    loadPolicySet(statements);
    return performance.now() - startedAt;
  });
}

function estOf(text: string) {
  const converted = policyToJson(text);
  if (converted.type === 'failure') throw new Error(`A policy does not parse: ${text}`);
  return converted.json;
}
