import { compilePolicy, verdictOn } from './compile-policy.js';
import type { EntityReader } from './entities.js';
import { explainRow, type PolicyExplanation } from './explain.js';
import { frameOf, type Frame, type Request } from './frame.js';
import { codeOf, HOLDS, isError, type ErrorCode } from './outcome.js';
import { Unsupported, UnsupportedPolicy } from './refusal.js';
import { candidatesFor, scopeIndexOf, type Posting, type Row, type ScopeIndex } from './scope-index.js';

/** The answer to a request, without its reasons. */
export interface Decision {
  readonly isAllowed: boolean;
  /** A `forbid` whose scope takes the request could not be evaluated. Cedar skips it; whoever asks may want to be stricter. */
  readonly hasFailedForbid: boolean;
}

/** The answer of Cedar's `is_authorized`. */
export interface Answer {
  readonly isAllowed: boolean;
  /** Ids of the policies that determine the answer: of a denial, the forbids that apply, of which there may be none. In no order. */
  readonly reasons: readonly string[];
  /** Policies that could not be evaluated, and therefore do not apply. In no order. */
  readonly errors: readonly { readonly policyId: string; readonly code: ErrorCode }[];
}

/** Policies made ready to decide requests, any number of times. */
export interface CompiledPolicies {
  /** Whether the request is allowed. Looks at no more policies than that takes. */
  decide(request: Request, entities: EntityReader): Decision;
  /** Whether the request is allowed, and why. */
  authorize(request: Request, entities: EntityReader): Answer;
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
  const rows = [...policies].map(([policyId, est]) => rowOf(policyId, est));
  const index = scopeIndexOf(rows);
  return {
    decide: (request, entities) => decide(index, frameOf(request, entities)),
    authorize: (request, entities) => authorize(index, frameOf(request, entities)),
    explain(request, entities) {
      const frame = frameOf(request, entities);
      return rows.map((row) => explainRow(row, frame));
    },
  };
}

function rowOf(policyId: string, est: unknown): Row {
  try {
    return { policyId, policy: compilePolicy(est) };
  } catch (error) {
    throw error instanceof Unsupported ? new UnsupportedPolicy(policyId, error) : error;
  }
}

const DECISIONS = {
  allowed: { isAllowed: true, hasFailedForbid: false },
  allowedInDoubt: { isAllowed: true, hasFailedForbid: true },
  denied: { isAllowed: false, hasFailedForbid: false },
  deniedInDoubt: { isAllowed: false, hasFailedForbid: true },
} as const;

function decide(index: ScopeIndex, frame: Frame): Decision {
  const candidates = candidatesFor(index, frame);
  let hasFailedForbid = false;
  for (const { forbids } of candidates) {
    for (const { policy } of forbids) {
      const verdict = verdictOn(policy.requirements, frame);
      if (verdict === HOLDS) return DECISIONS.denied;
      if (isError(verdict)) hasFailedForbid = true;
    }
  }
  if (isAnyPermitted(candidates, frame)) return hasFailedForbid ? DECISIONS.allowedInDoubt : DECISIONS.allowed;
  return hasFailedForbid ? DECISIONS.deniedInDoubt : DECISIONS.denied;
}

function isAnyPermitted(candidates: readonly Posting[], frame: Frame): boolean {
  for (const { permits } of candidates) for (const { policy } of permits) if (verdictOn(policy.requirements, frame) === HOLDS) return true;
  return false;
}

function authorize(index: ScopeIndex, frame: Frame): Answer {
  const permits: string[] = [];
  const forbids: string[] = [];
  const errors: { policyId: string; code: ErrorCode }[] = [];
  for (const candidates of candidatesFor(index, frame)) {
    collect(candidates.permits, frame, permits, errors);
    collect(candidates.forbids, frame, forbids, errors);
  }
  const isAllowed = permits.length > 0 && forbids.length === 0;
  return { isAllowed, reasons: isAllowed ? permits : forbids, errors };
}

/** Adds what applies to `applying`, and what cannot be evaluated to `errors`. */
function collect(rows: readonly Row[], frame: Frame, applying: string[], errors: { policyId: string; code: ErrorCode }[]): void {
  for (const { policyId, policy } of rows) {
    const verdict = verdictOn(policy.requirements, frame);
    if (verdict === HOLDS) applying.push(policyId);
    const code = codeOf(verdict);
    if (code !== null) errors.push({ policyId, code });
  }
}
