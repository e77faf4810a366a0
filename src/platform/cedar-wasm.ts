import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type * as CedarWasm from '@cedar-policy/cedar-wasm/nodejs';

// Node 20's V8 (11.3) inlines hot calls into wasm and aborts the whole process ("unreachable code" in
// Deoptimizer::DoComputeBuiltinContinuation) when such a call, returning a reference as those of cedar-wasm do, is deoptimized:
// some thousand decisions after the start. Without the inlining a call costs no measurable time more.
setFlagsFromString('--no-turbo-inline-js-wasm-calls');

/** A problem in a text, in Cedar's words, at a place counted in bytes of UTF-8. */
export interface ParsedProblem {
  readonly message: string;
  readonly help: string | null;
  /** What Cedar says of the place, such as what it had expected there. */
  readonly label: string | null;
  readonly byte: number | null;
  readonly endByte: number | null;
  /** Cedar's own name of the policy concerned, by its place in the text: `policy0`. */
  readonly policy: string | null;
}

/** One `permit` or `forbid` in Cedar's JSON form. */
export interface ParsedStatement {
  readonly effect: 'PERMIT' | 'FORBID';
  readonly est: unknown;
}

export type Parsed =
  | { readonly statements: readonly ParsedStatement[] }
  /** `parsed`: the statements, where they could be read and it is with the schema that they do not agree. */
  | { readonly problems: readonly ParsedProblem[]; readonly parsed: readonly ParsedStatement[] };

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
      const nowhere = { label: null, byte: null, endByte: null, policy: null };
      const broken = (message: string) => resolve({ problems: [{ message, help, ...nowhere }], parsed: [] });
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
export type WasmRequest = Pick<CedarWasm.StatefulAuthorizationCall, 'principal' | 'action' | 'resource' | 'context' | 'entities'>;

/** A set of policies kept ready inside this process's instance. */
export interface WasmPolicySet {
  authorize(request: WasmRequest): { readonly isAllowed: boolean; readonly reasons: readonly string[]; readonly errors: readonly string[] };
}

/** What decides: an instance of cedar-wasm, in which policy sets are kept by name. */
type Instance = typeof CedarWasm;

const load = createRequire(import.meta.url);

/** An instance that shares nothing with those before it. */
function openInstance(): Instance {
  const file = load.resolve('@cedar-policy/cedar-wasm/nodejs');
  delete load.cache[file];
  const instance: Instance = load(file);
  return instance;
}

/** Opened when it is first asked: a process that only parses needs none. */
let current: Instance | null = null;

/**
 * Asks the current instance. Whatever throws out of wasm, instead of answering, may have left its memory in any state: that
 * instance answers nobody any more, and the next question goes to a new one.
 */
function ask<Answer>(question: (instance: Instance) => Answer): Answer {
  const instance = (current ??= openInstance());
  try {
    return question(instance);
  } catch (cause) {
    current = openInstance();
    throw new Error('cedar-wasm broke on a set of policies; it was replaced.', { cause });
  }
}

let nextSet = 0;

interface LoadedSet {
  readonly name: string;
  readonly instance: Instance;
}

// The instance knows no removal; an empty set in its place frees the memory once nobody can ask the set any more.
const unreachable = new FinalizationRegistry(({ name, instance }: LoadedSet) => {
  if (instance === current) instance.preparsePolicySet(name, { staticPolicies: {} });
});

/** Loads policies in JSON form, by id. They came from `parseInWorker`, so that they should not break the instance. */
export function loadPolicySet(statements: Readonly<Record<string, CedarWasm.Policy>>): WasmPolicySet {
  const name = `set-${(nextSet += 1)}`;
  const loadInto = (): Instance => {
    const { instance, loaded } = ask((instance) => ({
      instance,
      loaded: instance.preparsePolicySet(name, { staticPolicies: statements }),
    }));
    if (loaded.type === 'failure') throw new Error(`Stored policies do not load: ${messagesOf(loaded.errors)}`);
    unreachable.register(set, { name, instance });
    return instance;
  };
  let home: Instance | null = null;
  let isBreaking = false;
  const set: WasmPolicySet = {
    authorize(request) {
      // Asked again it would break the next instance too, and everybody else's sets would have to be loaded anew each time.
      if (isBreaking) throw new Error('This set of policies has broken cedar-wasm before; it is not evaluated again.');
      if (home !== current) home = loadInto();
      isBreaking = true;
      const answer = ask((instance) => instance.statefulIsAuthorized({ ...request, preparsedPolicySetId: name }));
      isBreaking = false;
      if (answer.type === 'failure') throw new Error(`Cedar refused a request: ${messagesOf(answer.errors)}`);
      const { decision, diagnostics } = answer.response;
      return { isAllowed: decision === 'allow', reasons: diagnostics.reason, errors: diagnostics.errors.map((error) => error.policyId) };
    },
  };
  home = loadInto();
  return set;
}

const messagesOf = (errors: readonly { readonly message: string }[]): string => errors.map((error) => error.message).join('; ');
