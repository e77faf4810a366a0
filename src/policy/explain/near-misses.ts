import type { PolicyExplanation } from '../../cedar/index.js';
import { compiledEngine } from '../compiled-engine.js';
import type { PolicyInForce, Statement } from '../policy.js';
import type { CedarRequest } from '../ports.js';
import { scopeOf } from '../statement-scope.js';
import { cedarText } from './cedar-text.js';
import { explainStatement, outcomesOfParts, type ExplainedStatement } from './explain-statement.js';
import { partsOf, WHOLE_SCOPE, withParts } from './parts.js';

/** A permit of which everything is so but for one party of its scope, or one term of its clauses. */
export interface NearMiss {
  readonly policy: PolicyInForce;
  readonly statement: ExplainedStatement;
  /** What is not so, as Cedar writes it. */
  readonly missing: string;
  /** The same for a person. */
  readonly message: string;
}

/** A statement, and what became of it. */
export interface Explained {
  readonly policy: PolicyInForce;
  readonly statement: Statement;
  readonly index: number;
  readonly explanation: PolicyExplanation;
}

/** The most that are told. */
export const MAX_NEAR_MISSES = 20;
/** The most permits that are looked at: those first of which the whole scope takes the call. */
const MAX_LOOKED_AT = 300;

/** The permits that nearly applied; what keeps whole places and other agents out last, and another tool after that. Pure. */
export function nearMissesAmong(explained: readonly Explained[], request: CedarRequest): readonly NearMiss[] {
  const looked = explained
    .filter(({ statement, explanation }) => statement.effect === 'PERMIT' && unfit(explanation).length <= 1)
    .map((one, place) => ({ one, place, far: distanceOf(one) }))
    .sort((left, right) => left.far - right.far || left.place - right.place)
    .slice(0, MAX_LOOKED_AT);
  return looked.flatMap(({ one }) => missOf(one, request) ?? []).slice(0, MAX_NEAR_MISSES);
}

const PARTIES = ['principal', 'action', 'resource'] as const;
type PartyName = (typeof PARTIES)[number];

const unfit = ({ scope }: PolicyExplanation): readonly PartyName[] => PARTIES.filter((party) => !scope[party]);

function distanceOf({ statement, explanation }: Explained): number {
  const [party] = unfit(explanation);
  if (party === undefined) return 0;
  if (party === 'principal') return 1;
  const asked = scopeOf(statement.est).resource;
  const isAboutTool = asked.kind !== 'ANY' && (asked.kind === 'IS' ? [asked.entity] : asked.entities).some(({ type }) => type === 'Tool');
  return isAboutTool ? 3 : 2;
}

function missOf(one: Explained, request: CedarRequest): NearMiss | null {
  const [party] = unfit(one.explanation);
  return party === undefined ? missedTerm(one, request) : missedParty(one, party, request);
}

function missedParty(one: Explained, party: PartyName, request: CedarRequest): NearMiss | null {
  const { est } = one.statement;
  const wider = withParts(est, partsOf(est), { [party]: WHOLE_SCOPE[party] });
  const [outcome] = compiledEngine.load(new Map([['wider', wider]])).explain(request);
  const statement = explained(one, request);
  const [misfit] = statement.misfits;
  if (outcome?.outcome !== 'APPLIES' || misfit === undefined) return null;
  const missing = `${party} ${misfit.asked}`.trim();
  return { policy: one.policy, statement, missing, message: `${misfit.message} Everything else that it asks for is so.` };
}

function missedTerm(one: Explained, request: CedarRequest): NearMiss | null {
  const { est } = one.statement;
  const parts = partsOf(est);
  const outcomes = outcomesOfParts(est, parts, request);
  const at = outcomes.indexOf('NOT_MET');
  const missing = parts[at];
  // Behind a term that guards others, these may have no value: `context has branch && context.branch like "…"`.
  const isAlone = outcomes.every((outcome, index) => index === at || outcome === 'APPLIES' || (outcome === 'ERROR' && index > at));
  if (missing === undefined || !isAlone) return null;
  const text = cedarText(missing.body);
  const message = `It would permit the call, if only this were ${missing.kind === 'when' ? 'so' : 'not so'}: ${text}`;
  return { policy: one.policy, statement: explained(one, request), missing: text, message };
}

const explained = ({ statement, index, explanation }: Explained, request: CedarRequest): ExplainedStatement =>
  explainStatement({ statement, index, explanation, request, isUnseen: false, isDeciding: false, isOverruled: false });
