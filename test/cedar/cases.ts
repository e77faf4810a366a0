import { compilePolicies, entitiesFromJson, requestFromJson, type Answer, type PolicyExplanation } from '../../src/cedar/index.js';
import { askCedar, type JsonEntity, type JsonRequest, type Verdicts } from './oracle.js';
import { stringifyLossless } from './lossless-json.js';

/** What an evaluator must have to be compared: ours, or one with a bug in it. */
export type Evaluator = Pick<
  { compilePolicies: typeof compilePolicies; entitiesFromJson: typeof entitiesFromJson; requestFromJson: typeof requestFromJson },
  'compilePolicies' | 'entitiesFromJson' | 'requestFromJson'
>;

/** The product's. */
export const ours: Evaluator = { compilePolicies, entitiesFromJson, requestFromJson };

/** Policies, and requests that are put to them one after the other. */
export interface Case {
  readonly policies: Readonly<Record<string, unknown>>;
  readonly entities: readonly JsonEntity[];
  readonly requests: readonly JsonRequest[];
}

/** A case with what Cedar answers. */
export interface AnsweredCase extends Case {
  readonly answers: readonly Verdicts[];
}

export function answeredByCedar(given: Case): AnsweredCase {
  const cedar = askCedar(given.policies);
  return { ...given, answers: given.requests.map((request) => cedar.authorize(request, given.entities)) };
}

/** Where an evaluator answers otherwise than Cedar, for people to read; null when nowhere. */
export function differenceIn({ policies, entities, requests, answers }: AnsweredCase, evaluator: Evaluator = ours): string | null {
  const read = evaluator.entitiesFromJson(entities);
  const compiled = evaluator.compilePolicies(new Map(Object.entries(policies)));
  for (const [index, json] of requests.entries()) {
    const wanted = answers[index];
    if (wanted === undefined) throw new Error('Cedar has not been asked.');
    const request = evaluator.requestFromJson(json);
    const got = verdictsOf(compiled.authorize(request, read));
    const decision = compiled.decide(request, read);
    if (!areSame(got, wanted)) return differing(json, got, wanted, policies);
    if (Object.keys(policies).length <= EXPLAINED && !isExplained(compiled.explain(request, read), wanted)) {
      return stringifyLossless({ explained: compiled.explain(request, read), wanted, request: json, policies });
    }
    if (wanted.reasons.length + wanted.errors.length > 0 && !compiled.mayApply(request, read)) {
      return stringifyLossless({ mayApply: false, wanted, request: json, policies });
    }
    const doubts = wanted.errors.filter((error) => isForbid(policies[policyIn(error)]));
    const isDenied = wanted.reasons.some((reason) => isForbid(policies[reason]));
    // A forbid that applies ends the decision, so that nobody may have looked at those that cannot be evaluated.
    if (decision.isAllowed !== (wanted.decision === 'allow') || (!isDenied && decision.hasFailedForbid !== doubts.length > 0)) {
      return stringifyLossless({ decision, wanted, request: json, policies });
    }
  }
  return null;
}

/** Of more policies than this, no explanation is compared: it looks at all of them. */
const EXPLAINED = 20;

function isExplained(explained: readonly PolicyExplanation[], wanted: Verdicts): boolean {
  const applying = explained.filter(({ outcome }) => outcome === 'APPLIES').map(({ policyId }) => policyId);
  const failed = explained.flatMap(({ policyId, clauses }) =>
    clauses.flatMap(({ error }) => (error === null ? [] : [`${policyId} ${error}`])),
  );
  return wanted.reasons.every((reason) => applying.includes(reason)) && areSameLists(failed.sort(), wanted.errors);
}

const isForbid = (policy: unknown): boolean =>
  typeof policy === 'object' && policy !== null && 'effect' in policy && policy.effect === 'forbid';

const policyIn = (error: string): string => error.replace(/ [A-Z_]+$/, '');

const verdictsOf = ({ isAllowed, reasons, errors }: Answer): Verdicts => ({
  decision: isAllowed ? 'allow' : 'deny',
  reasons: reasons.toSorted(),
  errors: errors.map(({ policyId, code }) => `${policyId} ${code}`).sort(),
});

const areSame = (one: Verdicts, other: Verdicts): boolean =>
  one.decision === other.decision && areSameLists(one.reasons, other.reasons) && areSameLists(one.errors, other.errors);

const areSameLists = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((item, index) => item === other[index]);

function differing(request: JsonRequest, got: Verdicts, wanted: Verdicts, policies: Case['policies']): string {
  const only = (some: readonly string[], others: readonly string[]): readonly string[] => some.filter((each) => !others.includes(each));
  const onlyOurs = [...only(got.reasons, wanted.reasons), ...only(got.errors, wanted.errors)];
  const onlyCedars = [...only(wanted.reasons, got.reasons), ...only(wanted.errors, got.errors)];
  const [first = ''] = [...onlyOurs, ...onlyCedars];
  const policy = policies[first] ?? policies[policyIn(first)];
  return stringifyLossless({ decisions: [got.decision, wanted.decision], onlyOurs, onlyCedars, request, policy });
}
