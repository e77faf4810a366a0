import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { compilePolicies, type CompiledPolicies } from '../../src/cedar/index.js';
import { loadPolicySet, type WasmPolicySet } from '../../src/platform/cedar-wasm.js';
import { median } from '../support/figures.js';
import { seededRandom } from '../support/random.js';
import { askedOf } from './compiled.js';
import { aPolicy, requestOf, someCalls, somePolicies, type Call, type CedarRequest } from './world.js';

export interface Measured {
  readonly policies: number;
  readonly figures: Readonly<
    Record<'buildMicroseconds' | 'decideMicroseconds' | 'authorizeMicroseconds' | 'compileMilliseconds' | 'changeMilliseconds', number>
  >;
  readonly reference: Readonly<Record<'authorizeMicroseconds', number>>;
  /** How often cedar-wasm gave another answer. */
  readonly differences: number;
}

/** Requests in one turn of the compiled policies. */
const CALLS = 2_000;
/** cedar-wasm takes up to some tens of milliseconds for each. */
const WASM_CALLS = 20;

/** Measures sets of `count` policies: compiled and in cedar-wasm, in turns, `rounds` times. */
export function measure(count: number, rounds: number): Measured {
  const ests = new Map([...somePolicies(count)].map(([id, text]) => [id, estOf(text)]));
  const compileMilliseconds = Array.from({ length: rounds }, () => compileAnew(ests));
  const policies = compilePolicies(ests);
  const calls = someCalls(CALLS);
  const wasm = loadPolicySet(Object.fromEntries(ests) as never);
  const requests = calls.slice(0, WASM_CALLS).map(requestOf);

  const turns = Array.from({ length: rounds + 1 }, () => ({
    build: cpuMicroseconds(calls, askedOf),
    decide: cpuMicroseconds(calls, (call) => decideOn(policies, call)),
    authorize: cpuMicroseconds(calls, (call) => authorizeOn(policies, call)),
    wasm: cpuMicroseconds(requests, (request) => askWasm(wasm, request)),
    change: changeOne(ests),
  })).slice(1);
  const middle = (name: keyof (typeof turns)[number]): number => median(turns.map((turn) => turn[name]));
  return {
    policies: count,
    figures: {
      buildMicroseconds: middle('build'),
      decideMicroseconds: middle('decide'),
      authorizeMicroseconds: middle('authorize'),
      compileMilliseconds: median(compileMilliseconds),
      changeMilliseconds: middle('change'),
    },
    reference: { authorizeMicroseconds: middle('wasm') },
    differences: calls.slice(0, WASM_CALLS).filter((call) => isAnsweredDifferently(policies, wasm, call)).length,
  };
}

function estOf(text: string): unknown {
  const answer = policyToJson(text);
  if (answer.type === 'failure') throw new Error(JSON.stringify(answer.errors));
  return answer.json;
}

// Each request is made just before it is asked, as in a process that decides. If many were kept for it, the garbage collector would
// expect their like to live long, and make them dearer than they are.

function decideOn(policies: CompiledPolicies, call: Call): void {
  const { request, read } = askedOf(call);
  policies.decide(request, read);
}

function authorizeOn(policies: CompiledPolicies, call: Call): void {
  const { request, read } = askedOf(call);
  policies.authorize(request, read);
}

/** So long is measured at least, so that what happens beside it (the compiler, the garbage collector) counts with its share. */
const LEAST_MICROSECONDS = 200_000;

/** CPU time of this process, for each item. On a machine that others use too, the clock would tell about them. */
function cpuMicroseconds<Item>(items: readonly Item[], work: (item: Item) => unknown): number {
  const before = process.cpuUsage();
  for (let passes = 1; ; passes += 1) {
    for (const item of items) work(item);
    const { user, system } = process.cpuUsage(before);
    if (user + system >= LEAST_MICROSECONDS) return (user + system) / (items.length * passes);
  }
}

const askWasm = (wasm: WasmPolicySet, request: CedarRequest) =>
  wasm.authorize({ ...request, context: { ...request.context }, entities: request.entities.map((entity) => ({ ...entity })) } as never);

/** What a process pays that starts: policies that it has never seen, read from JSON before. */
function compileAnew(ests: ReadonlyMap<string, unknown>): number {
  const unseen = new Map([...ests].map(([id, est]) => [id, structuredClone(est)]));
  const before = performance.now();
  compilePolicies(unseen);
  return performance.now() - before;
}

const random = seededRandom(13);

/** What a process pays when one policy has changed. */
function changeOne(ests: ReadonlyMap<string, unknown>): number {
  const changed = new Map(ests).set('policy 5', estOf(aPolicy(random)));
  const before = performance.now();
  compilePolicies(changed);
  return performance.now() - before;
}

function isAnsweredDifferently(policies: CompiledPolicies, wasm: WasmPolicySet, call: Call): boolean {
  const { request, read } = askedOf(call);
  const got = policies.authorize(request, read);
  const wanted = askWasm(wasm, requestOf(call));
  const form = (isAllowed: boolean, reasons: readonly string[], errors: readonly string[]): string =>
    JSON.stringify([isAllowed, reasons.toSorted(), errors.toSorted()]);
  return (
    form(
      got.isAllowed,
      got.reasons,
      got.errors.map(({ policyId }) => policyId),
    ) !== form(wanted.isAllowed, wanted.reasons, wanted.errors)
  );
}
