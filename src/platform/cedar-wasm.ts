import { createRequire } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type * as CedarWasm from '@cedar-policy/cedar-wasm/nodejs';
import { Turns } from './turns.js';

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

/** How long a text of 16 KiB may keep the parser; an ordinary one takes some milliseconds. */
const PARSE_MILLISECONDS = 5_000;
/** The most texts that one thread parses before another takes its place. */
const MAX_TEXTS = 200;
/** How many threads stay for the next text, and how long: loading the parser takes ten times as long as a text does. */
const MAX_RESTED = 2;
const REST_MILLISECONDS = 10_000;
/** After so many texts of one author that broke the parser, those behind them are not read any more. */
const MAX_BREAKING_TEXTS = 3;

/** How many texts are parsed at once in this process, each in a thread of its own, and how many requests may wait for that. */
const MAX_PARSING = 2;
const MAX_WAITING = 50;
const turns = new Turns(
  MAX_PARSING,
  MAX_WAITING,
  'Too many policy texts are being read. Nothing of this one was stored; send it again in a moment.',
);

/**
 * Parses and validates a text in a thread of its own kind: whatever the text does to the parser, it does it to nothing else. A thread
 * stays for the next text as long as every one was answered. Whatever throws out of wasm may have left its memory in any state, so it
 * ends the thread; a text that a used one breaks on is read again in a new one, and what that says counts.
 *
 * @throws Failure OVERLOADED when too many wait for their turn already.
 */
export const parseInWorker = async (text: string, schema: string): Promise<Parsed> =>
  (await turns.take(() => parseOne(text, schema))).parsed;

/** How long the texts of one author may take together, their waiting included. */
const TOGETHER_MILLISECONDS = 60_000;

/**
 * Parses and validates texts of one author, who waits for a turn for each: those of others come in between.
 *
 * @throws Failure OVERLOADED when too many wait for their turn already.
 */
export async function parseAllInWorkers(
  texts: readonly string[],
  schema: string,
  milliseconds = TOGETHER_MILLISECONDS,
): Promise<readonly Parsed[]> {
  const all: Parsed[] = [];
  const end = performance.now() + milliseconds;
  let breaking = 0;
  for (const text of texts) {
    const isLate = performance.now() >= end;
    if (isLate || breaking >= MAX_BREAKING_TEXTS) {
      all.push((isLate ? LATE : NOT_READ).parsed);
      continue;
    }
    // Who was let in once is not sent away in the middle.
    const { parsed, isBroken } = await turns.take(() => parseOne(text, schema), all.length > 0);
    if (isBroken) breaking += 1;
    all.push(parsed);
  }
  return all;
}

interface ParsedOne {
  readonly parsed: Parsed;
  /** Whether it is no text that can be read at all. */
  readonly isBroken: boolean;
}

const refused = (message: string, help: string): ParsedOne => ({
  parsed: { problems: [{ message, help, label: null, byte: null, endByte: null, policy: null }], parsed: [] },
  isBroken: true,
});
const NOT_READ = refused('The text was not read: others before it break the parser.', 'Repair those first.');
const LATE = refused('The text was not read: those before it took too long.', 'Send fewer at once, or try again when there is less to do.');
const TROUBLE = {
  slow: 'The text takes too long to parse.',
  deep: 'The text cannot be parsed: it is too deeply nested.',
  gone: 'The text cannot be parsed.',
} as const;
const SIMPLER = 'Split it into several policies. Each term of a chain of &&, || or + nests one level deeper; some sixty are possible.';

async function parseOne(text: string, schema: string): Promise<ParsedOne> {
  const used = takeRested();
  const first = used === null ? null : await parseIn(used, text, schema);
  const answer = first === null || first === 'deep' || first === 'gone' ? await parseIn(openThread(), text, schema) : first;
  return typeof answer === 'string' ? refused(TROUBLE[answer], SIMPLER) : { parsed: answer, isBroken: false };
}

/** A thread with an instance of the parser of its own. */
interface ParserThread {
  readonly worker: Worker;
  texts: number;
  /** Ends it when nothing has come for a while. */
  end: NodeJS.Timeout | null;
}

const rested: ParserThread[] = [];

function openThread(): ParserThread {
  const worker = new Worker(new URL('./cedar-worker.mjs', import.meta.url), {
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
  // Told to whoever waits for an answer; without any listener it would end the process.
  worker.on('error', () => undefined);
  return { worker, texts: 0, end: null };
}

function takeRested(): ParserThread | null {
  const thread = rested.pop() ?? null;
  if (thread?.end != null) clearTimeout(thread.end);
  return thread;
}

function rest(thread: ParserThread): void {
  const end = (): void => {
    const place = rested.indexOf(thread);
    if (place !== -1) rested.splice(place, 1);
    void thread.worker.terminate();
  };
  thread.worker.unref();
  thread.end = setTimeout(end, REST_MILLISECONDS).unref();
  rested.push(thread);
}

/** What the thread says to the text, or what became of it: then the thread has ended. */
async function parseIn(thread: ParserThread, text: string, schema: string): Promise<Parsed | keyof typeof TROUBLE> {
  const { worker } = thread;
  worker.ref();
  const answer = await new Promise<Parsed | keyof typeof TROUBLE>((resolve) => {
    const timer = setTimeout(() => settle('slow'), PARSE_MILLISECONDS);
    const told = (parsed: Parsed): void => settle(parsed);
    const [broke, went] = [(): void => settle('deep'), (): void => settle('gone')];
    const settle = (outcome: Parsed | keyof typeof TROUBLE): void => {
      clearTimeout(timer);
      worker.off('message', told).off('error', broke).off('exit', went);
      resolve(outcome);
    };
    worker.once('message', told).once('error', broke).once('exit', went);
    worker.postMessage({ text, schema });
  });
  thread.texts += 1;
  if (typeof answer !== 'string' && thread.texts < MAX_TEXTS && rested.length < MAX_RESTED) rest(thread);
  else await worker.terminate();
  return answer;
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
