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
  const { parsed, trouble } = await parseTogether([text], schema);
  return parsed[0] ?? { problems: [{ message: trouble ?? BROKEN, help: SIMPLER, ...NOWHERE }], parsed: [] };
}

/** The most texts that one thread parses before another takes its place. */
const TEXTS_A_WORKER = 200;
/** After so many texts that broke a thread of their own, those behind them are not read any more. */
const MAX_BREAKING_TEXTS = 3;

/**
 * Parses and validates texts of one author, many in a thread, since loading the parser takes longer than a text does. One that breaks
 * the thread takes down no other: it gets a thread of its own, and the rest another.
 */
export async function parseAllInWorkers(texts: readonly string[], schema: string): Promise<readonly Parsed[]> {
  const parsed: Parsed[] = [];
  let breaking = 0;
  while (parsed.length < texts.length && breaking < MAX_BREAKING_TEXTS) {
    const batch = texts.slice(parsed.length, parsed.length + TEXTS_A_WORKER);
    const done = await parseTogether(batch, schema);
    parsed.push(...done.parsed);
    const next = batch[done.parsed.length];
    if (next === undefined) continue;
    breaking += 1;
    parsed.push(await parseInWorker(next, schema));
  }
  return [...parsed, ...texts.slice(parsed.length).map(() => NOT_READ)];
}

const NOWHERE = { label: null, byte: null, endByte: null, policy: null };
const BROKEN = 'The text cannot be parsed.';
const SIMPLER = 'Split it into several policies. Each term of a chain of &&, || or + nests one level deeper; some sixty are possible.';
const NOT_READ: Parsed = {
  problems: [{ message: 'The text was not read: others before it break the parser.', help: 'Repair those first.', ...NOWHERE }],
  parsed: [],
};

/** Parses texts in one thread, as far as it comes, and ends it. `trouble`: why it did not come to the end. */
async function parseTogether(
  texts: readonly string[],
  schema: string,
): Promise<{ readonly parsed: readonly Parsed[]; readonly trouble: string | null }> {
  const worker = new Worker(new URL('./cedar-worker.mjs', import.meta.url), {
    workerData: { texts, schema },
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  const parsed: Parsed[] = [];
  let timer: NodeJS.Timeout | undefined;
  try {
    const trouble = await new Promise<string | null>((resolve) => {
      const wait = () => (timer = setTimeout(() => resolve('The text takes too long to parse.'), PARSE_MILLISECONDS));
      wait();
      worker.on('message', (each: Parsed) => {
        parsed.push(each);
        clearTimeout(timer);
        if (parsed.length === texts.length) resolve(null);
        else wait();
      });
      worker.once('error', () => resolve('The text cannot be parsed: it is too deeply nested.'));
      worker.once('exit', () => resolve(BROKEN));
    });
    return { parsed: [...parsed], trouble };
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
