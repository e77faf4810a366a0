import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { preparsePolicySet, statefulIsAuthorized, type Policy, type StatefulAuthorizationCall } from '@cedar-policy/cedar-wasm/nodejs';

// Node 20's V8 (11.3) inlines hot calls into wasm and aborts the whole process ("unreachable code" in
// Deoptimizer::DoComputeBuiltinContinuation) when such a call, returning a reference as those of cedar-wasm do, is deoptimized:
// some thousand decisions after the start. Without the inlining a call costs no measurable time more.
setFlagsFromString('--no-turbo-inline-js-wasm-calls');

/** A problem in a text, at a place counted in bytes of UTF-8. */
export interface ParsedProblem {
  readonly message: string;
  readonly help: string | null;
  readonly byte: number | null;
}

/** One `permit` or `forbid` in Cedar's JSON form. */
export interface ParsedStatement {
  readonly effect: 'PERMIT' | 'FORBID';
  readonly est: unknown;
}

export type Parsed = { readonly statements: readonly ParsedStatement[] } | { readonly problems: readonly ParsedProblem[] };

/** How long a text of 16 KiB may keep the parser; an ordinary one takes some tens of milliseconds, most of them for loading it. */
const PARSE_MILLISECONDS = 5_000;

/** Parses and validates a text in a thread of its own, which is ended afterwards, whatever the text did to it. */
export async function parseInWorker(text: string, schema: string): Promise<Parsed> {
  const worker = new Worker(new URL('./cedar-worker.mjs', import.meta.url), {
    workerData: { text, schema },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Parsed>((resolve) => {
      const help = 'Split it into several policies. Each term of a chain of &&, || or + nests one level deeper; some sixty are possible.';
      const broken = (message: string) => resolve({ problems: [{ message, help, byte: null }] });
      timer = setTimeout(() => broken('The text takes too long to parse.'), PARSE_MILLISECONDS);
      worker.once('message', resolve);
      worker.once('error', () => broken('The text cannot be parsed: it is too deeply nested.'));
      worker.once('exit', () => broken('The text cannot be parsed.'));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

/** A request as cedar-wasm takes it, without the policies. */
export type WasmRequest = Pick<StatefulAuthorizationCall, 'principal' | 'action' | 'resource' | 'context' | 'entities'>;

/** A set of policies kept ready inside this process's instance. */
export interface WasmPolicySet {
  authorize(request: WasmRequest): { readonly isAllowed: boolean; readonly reasons: readonly string[]; readonly errors: readonly string[] };
}

let nextSet = 0;

// The instance knows no removal; an empty set in its place frees the memory once nobody can ask the set any more.
const unreachable = new FinalizationRegistry((name: string) => void preparsePolicySet(name, { staticPolicies: {} }));

/** Loads policies in JSON form, by id. They came from `parseInWorker`, so that they cannot break the instance. */
export function loadPolicySet(statements: Readonly<Record<string, Policy>>): WasmPolicySet {
  const name = `set-${(nextSet += 1)}`;
  const loaded = preparsePolicySet(name, { staticPolicies: statements });
  if (loaded.type === 'failure') throw new Error(`Stored policies do not load: ${loaded.errors.map((error) => error.message).join('; ')}`);
  const set: WasmPolicySet = {
    authorize(request) {
      const answer = statefulIsAuthorized({ ...request, preparsedPolicySetId: name });
      if (answer.type === 'failure') throw new Error(`Cedar refused a request: ${answer.errors.map((error) => error.message).join('; ')}`);
      const { decision, diagnostics } = answer.response;
      return { isAllowed: decision === 'allow', reasons: diagnostics.reason, errors: diagnostics.errors.map((error) => error.policyId) };
    },
  };
  unreachable.register(set, name);
  return set;
}
