import { compilePolicy, type CompiledPolicy } from './compile-policy.js';
import type { EntityReader } from './entities.js';
import { explainPolicy, type PolicyExplanation } from './explain.js';
import { frameOf, type Request } from './frame.js';
import { memoryFor, placeAfter, policyAt, runOf, verdictAt, type Memory, type Rows, type Run } from './memory.js';
import { codeOf, FAILS, HOLDS, isError, type ErrorCode } from './outcome.js';
import { Unsupported, UnsupportedPolicy } from './refusal.js';
import { rowWriter } from './row-writer.js';
import { candidatesFor, scopeIndexOf, type Posting, type ScopeIndex } from './scope-index.js';

/** The answer to a request, without its reasons. */
export interface Decision {
  readonly isAllowed: boolean;
  /**
   * A `forbid` could not be evaluated. Cedar skips it; whoever asks may want to be stricter. Not looked for any more once another
   * `forbid` has denied the request.
   */
  readonly hasFailedForbid: boolean;
}

/** The answer of Cedar's `is_authorized`. */
export interface Answer {
  readonly isAllowed: boolean;
  /** Ids of the policies that determine the answer: of a denial, the forbids that apply, of which there may be none. In no order. */
  readonly reasons: readonly string[];
  /** Policies that could not be evaluated, and therefore do not apply. In no order. */
  readonly errors: readonly PolicyError[];
}

export interface PolicyError {
  readonly policyId: string;
  readonly code: ErrorCode;
}

/** Policies made ready to decide requests, any number of times. */
export interface CompiledPolicies {
  /** Whether the request is allowed. Looks at no more policies than that takes. */
  decide(request: Request, entities: EntityReader): Decision;
  /** Whether the request is allowed, and why. */
  authorize(request: Request, entities: EntityReader): Answer;
  /** Whether the scope of any policy may fit the request, whatever the context; what may fit need not. Looks at no condition. */
  mayApply(request: Request, entities: EntityReader): boolean;
  /** What became of each policy, in the order in which they were given. Looks at all of them. */
  explain(request: Request, entities: EntityReader): readonly PolicyExplanation[];
}

/**
 * Compiles policies in Cedar's JSON form, by id. What they come to is what Cedar 4.5 says they come to.
 *
 * An object that was compiled before, in whatever set, is not compiled again: it must not have been changed. Of sets that come one
 * after the other, it therefore pays to give the same objects for the policies that have stayed.
 *
 * @throws UnsupportedPolicy when one of them holds what this library does not
 */
export function compilePolicies(policies: ReadonlyMap<string, unknown>): CompiledPolicies {
  const ids = [...policies.keys()];
  const compiled = [...policies].map(([policyId, est]) => compileOne(policyId, est));
  const { rowsOf, conditions } = rowWriter(compiled);
  const set: PolicySet = { ids, index: scopeIndexOf(compiled, rowsOf), memory: memoryFor(conditions) };
  return {
    decide: (request, entities) => decide(set, request, entities),
    authorize: (request, entities) => authorize(set, request, entities),
    mayApply: (request, entities) => candidatesFor(set.index, frameOf(request, entities)).some(isAny),
    explain(request, entities) {
      const frame = frameOf(request, entities);
      return compiled.map((policy, index) => explainPolicy(ids[index] ?? '', policy, frame));
    },
  };
}

function compileOne(policyId: string, est: unknown): CompiledPolicy {
  try {
    return compilePolicy(est);
  } catch (error) {
    throw error instanceof Unsupported ? new UnsupportedPolicy(policyId, error) : error;
  }
}

interface PolicySet {
  readonly ids: readonly string[];
  readonly index: ScopeIndex;
  readonly memory: Memory;
}

const isAny = ({ permits, forbids }: Posting): boolean => permits.length > 0 || forbids.length > 0;

const DECISIONS = {
  allowed: { isAllowed: true, hasFailedForbid: false },
  allowedInDoubt: { isAllowed: true, hasFailedForbid: true },
  denied: { isAllowed: false, hasFailedForbid: false },
  deniedInDoubt: { isAllowed: false, hasFailedForbid: true },
} as const;

function decide({ index, memory }: PolicySet, request: Request, entities: EntityReader): Decision {
  const frame = frameOf(request, entities);
  const candidates = candidatesFor(index, frame);
  const run = runOf(memory, frame);
  let hasFailedForbid = false;
  for (const { forbids } of candidates) {
    for (let place = 0; place < forbids.length; place = placeAfter(forbids, place)) {
      const verdict = verdictAt(forbids, place, run);
      if (verdict === HOLDS) return DECISIONS.denied;
      if (isError(verdict)) hasFailedForbid = true;
    }
  }
  if (isAnyPermitted(candidates, run)) return hasFailedForbid ? DECISIONS.allowedInDoubt : DECISIONS.allowed;
  return hasFailedForbid ? DECISIONS.deniedInDoubt : DECISIONS.denied;
}

function isAnyPermitted(candidates: readonly Posting[], run: Run): boolean {
  for (const { permits } of candidates) {
    for (let place = 0; place < permits.length; place = placeAfter(permits, place))
      if (verdictAt(permits, place, run) === HOLDS) return true;
  }
  return false;
}

function authorize({ index, memory, ids }: PolicySet, request: Request, entities: EntityReader): Answer {
  const frame = frameOf(request, entities);
  const run = runOf(memory, frame);
  const permits: string[] = [];
  const forbids: string[] = [];
  const errors: PolicyError[] = [];
  for (const candidates of candidatesFor(index, frame)) {
    collect(candidates.permits, run, ids, permits, errors);
    collect(candidates.forbids, run, ids, forbids, errors);
  }
  const isAllowed = permits.length > 0 && forbids.length === 0;
  return { isAllowed, reasons: isAllowed ? permits : forbids, errors };
}

/** Adds the policies that apply to `applying`, and those that cannot be evaluated to `errors`. */
function collect(rows: Rows, run: Run, ids: readonly string[], applying: string[], errors: PolicyError[]): void {
  for (let place = 0; place < rows.length; place = placeAfter(rows, place)) {
    const verdict = verdictAt(rows, place, run);
    if (verdict === FAILS) continue;
    const policyId = ids[policyAt(rows, place)] ?? '';
    const code = codeOf(verdict);
    if (code === null) applying.push(policyId);
    else errors.push({ policyId, code });
  }
}
