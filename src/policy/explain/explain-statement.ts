import type { PolicyExplanation } from '../../cedar/index.js';
import { annotationsOf, type Severity } from '../annotations.js';
import { compiledEngine } from '../compiled-engine.js';
import type { Effect, Statement } from '../policy.js';
import type { CedarRequest } from '../ports.js';
import { scopeOf } from '../statement-scope.js';
import { cedarText, clauseTexts } from './cedar-text.js';
import { partsOf, WHOLE_SCOPE, withParts, type Part } from './parts.js';
import { appliedWords, askedText, ERROR_WORDS, failedWords, misfitWords, UNREADABLE_WORDS, unmetWords, type Party } from './words.js';

/** What became of a statement. */
export type StatementOutcome = 'APPLIED' | 'NOT_IN_SCOPE' | 'CONDITION_NOT_MET' | 'FAILED';

export interface ExplainedStatement {
  /** Its place in the policy's text, from 0. */
  readonly index: number;
  readonly effect: Effect;
  /** What its annotations say; null where they say nothing. */
  readonly name: string | null;
  readonly reason: string | null;
  readonly severity: Severity | null;
  readonly outcome: StatementOutcome;
  readonly isDeciding: boolean;
  /** Parties that its scope does not take. */
  readonly misfits: readonly Misfit[];
  /** The clause that kept it from applying, or that could not be evaluated. */
  readonly clause: BlockingClause | null;
  /** Why it could not be evaluated. */
  readonly error: string | null;
  /** What became of it and why, for a person. */
  readonly message: string;
}

export interface Misfit {
  readonly party: Party;
  /** What the scope asks of it, as Cedar writes it; empty for a type. */
  readonly asked: string;
  readonly message: string;
}

export interface BlockingClause {
  /** Its number among the statement's clauses, from 1. */
  readonly number: number;
  readonly kind: 'when' | 'unless';
  /** What stands between its braces. */
  readonly text: string;
  /** The term of it that made the difference: where terms are joined by `&&`, or by `||` in an `unless`, one of them. */
  readonly part: string;
}

export const outcomeOf = ({ outcome }: PolicyExplanation, isUnseen: boolean): StatementOutcome => (isUnseen ? 'FAILED' : OUTCOMES[outcome]);
const OUTCOMES = { APPLIES: 'APPLIED', OUT_OF_SCOPE: 'NOT_IN_SCOPE', NOT_MET: 'CONDITION_NOT_MET', ERROR: 'FAILED' } as const;

export interface ToExplain {
  readonly statement: Statement;
  readonly index: number;
  readonly explanation: PolicyExplanation;
  /** Whether it reads arguments of which not all can be shown, and might apply. */
  readonly isUnseen: boolean;
  readonly isDeciding: boolean;
  /** Of what permits: whether the call is denied all the same. */
  readonly isOverruled: boolean;
  readonly request: CedarRequest;
}

/** Says what became of a statement, and why. */
export function explainStatement(given: ToExplain): ExplainedStatement {
  const { statement, index, explanation, isUnseen, isDeciding, isOverruled, request } = given;
  const annotations = annotationsOf(statement.est);
  const outcome = outcomeOf(explanation, isUnseen);
  const misfits = misfitsOf(statement, explanation);
  const clause =
    outcome === 'CONDITION_NOT_MET' || (outcome === 'FAILED' && !isUnseen) ? blockingClause(statement, explanation, request) : null;
  const code = explanation.clauses.find(({ error }) => error !== null)?.error ?? null;
  const error = isUnseen ? UNREADABLE_WORDS : code === null ? null : ERROR_WORDS[code];
  const message = (): string => {
    if (outcome === 'APPLIED') return appliedWords(statement.effect, isOverruled, annotations);
    if (outcome === 'FAILED') return failedWords(statement.effect, error ?? '', clause?.part ?? null);
    return clause === null ? misfits.map((misfit) => misfit.message).join(' ') : unmetWords(clause.kind, clause.part);
  };
  return {
    ...{ index, effect: statement.effect, name: annotations.id, reason: annotations.reason, severity: annotations.severity },
    ...{ outcome, isDeciding, misfits, clause, error, message: message() },
  };
}

const PARTIES = [
  ['principal', 'PRINCIPAL'],
  ['action', 'ACTION'],
  ['resource', 'RESOURCE'],
] as const;

function misfitsOf({ est }: Statement, { scope: takes }: PolicyExplanation): readonly Misfit[] {
  const scope = scopeOf(est);
  return PARTIES.flatMap(([name, party]) =>
    takes[name] ? [] : [{ party, asked: askedText(scope[name]), message: misfitWords(party, scope[name]) }],
  );
}

function blockingClause({ est }: Statement, explanation: PolicyExplanation, request: CedarRequest): BlockingClause | null {
  const at = explanation.clauses.findIndex(({ kind, outcome }) => outcome === 'ERROR' || outcome === (kind === 'when' ? 'FALSE' : 'TRUE'));
  const clause = explanation.clauses[at];
  if (clause === undefined) return null;
  const parts = partsOf(est).filter((part) => part.clause === at);
  const blocking = firstThatBlocks(est, parts, request) ?? parts[0];
  if (blocking === undefined) return null;
  return { number: at + 1, kind: clause.kind, text: clauseTexts(est)[at] ?? '', part: cedarText(blocking.body) };
}

/** Parts are looked at in their order; behind the first that is not so, Cedar does not look. */
function firstThatBlocks(est: Statement['est'], parts: readonly Part[], request: CedarRequest): Part | undefined {
  const outcomes = outcomesOfParts(est, parts, request);
  return parts.find((_part, index) => outcomes[index] !== 'APPLIES');
}

/** What becomes of each part, asked by itself. */
export function outcomesOfParts(
  est: Statement['est'],
  parts: readonly Part[],
  request: CedarRequest,
): readonly PolicyExplanation['outcome'][] {
  const probes = new Map(parts.map((part, index) => [String(index), withParts(est, [part], WHOLE_SCOPE)]));
  return compiledEngine
    .load(probes)
    .explain(request)
    .map(({ outcome }) => outcome);
}
