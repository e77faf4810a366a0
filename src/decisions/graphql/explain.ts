import type {
  AgentExplainedPolicyResolvers,
  AgentExplainedStatementResolvers,
  AgentPolicyExplanationResolvers,
  QueryResolvers,
  ResolversTypes,
} from '../../generated/graphql.js';
import { connectionOf, cursorOf, pageRequest, type Page, type PageRequest } from '../../kernel/index.js';
import { inputInvalid, notFound } from '../../platform/graphql-input.js';
import { limitedTo } from '../../platform/graphql-limit.js';
import { statementLines, type ExplainedPolicy, type ExplainedStatement, type VerdictChange } from '../../policy/index.js';
import { EXPLANATIONS } from '../decision.js';
import { changesFor } from '../explain/changes.js';
import type { ExplainOutcome, ExplainRequest, PoliciesExplained } from '../explain/explain-policies.js';
import { parseExplain } from '../explain/parse-explain.js';
import { presentDecision, presentReason, presentSeverity } from './present.js';

export interface ExplainContext {
  /** Explains to the viewer. */
  readonly explain: (request: ExplainRequest) => Promise<ExplainOutcome>;
  /** The text of a revision; null when there is none. */
  readonly revisionText: (policyId: string, revision: number) => Promise<string | null>;
}

/** The most explanations that one operation may ask for: each looks at every policy, and tries hundreds of changes. */
const MAX_EXPLANATIONS = 10;

/** Explains for one GraphQL request. */
export const explainForRequest = (explain: ExplainContext['explain']): ExplainContext['explain'] =>
  limitedTo(MAX_EXPLANATIONS, 'explanations', explain);

export const Query: Pick<QueryResolvers<ExplainContext>, 'agentPolicyExplain'> = {
  async agentPolicyExplain(_root, { input }, { explain }) {
    const parsed = parseExplain({ ...input });
    if ('problems' in parsed) return refused(inputInvalid(parsed.problems));
    const outcome = await explain(parsed.request);
    switch (outcome.kind) {
      case 'explained':
        return { explanation: presentExplanation(outcome.explained), errors: [] };
      case 'notFound':
        return refused(notFound(outcome.field));
      case 'invalid':
        return refused(inputInvalid([{ path: outcome.path, message: outcome.message }]));
      case 'draftInvalid':
        return refused({
          __typename: 'AgentPolicyInvalid' as const,
          message: 'The draft does not fit the model.',
          problems: [...outcome.problems],
        });
    }
  },
};

const refused = <Refusal>(refusal: Refusal) => ({ explanation: null, errors: [refusal] });

type PresentedExplanation = Awaited<ResolversTypes['AgentPolicyExplanation']>;

/** What stands behind what was presented: pages and changes are worked out when they are asked for. */
const explainedBehind = new WeakMap<object, PoliciesExplained>();

function behind(explanation: object): PoliciesExplained {
  const explained = explainedBehind.get(explanation);
  if (explained === undefined) throw new Error('An explanation is presented here alone.');
  return explained;
}

function presentExplanation(explained: PoliciesExplained): PresentedExplanation {
  const { epoch, call, toolId, shadow, decision, isWhole, tellsOfAgent, explanation } = explained;
  const { evaluation, counts, facts } = explanation;
  const { verdict, basis, advice, obligations, approval } = evaluation;
  const presented: PresentedExplanation = {
    ...{ verdict, basis, explanation: EXPLANATIONS[basis], epoch, isWhole, tellsOfAgent },
    ...{ advice: [...advice], obligations: [...obligations], approvalNeeded: approval },
    reasons: evaluation.reasons.map(presentReason),
    shadow: shadow === null ? null : { ...shadow, reasons: shadow.reasons.map(presentReason) },
    user: { id: call.user.id },
    tool: toolId === null ? null : { id: toolId },
    actionType: call.tool.actionType,
    evaluatedAt: call.now.toISOString(),
    policiesAsOf: explained.asOf.toISOString(),
    decision: decision === null ? null : presentDecision(decision),
    recordedVerdict: decision?.event.verdict ?? null,
    counts: { applied: counts.APPLIED, failed: counts.FAILED, conditionNotMet: counts.CONDITION_NOT_MET, notInScope: counts.NOT_IN_SCOPE },
    facts: [...facts],
    nearMisses: explanation.nearMisses.map(({ policy, statement, missing, message }) => ({
      ...{ policyId: policy.id, policyName: policy.name, missing, message },
      statement: presentStatement(statement, { explained, policyId: policy.id, revision: policy.revision }),
    })),
    // Resolved below.
    ...{ policies: NO_PAGE, changes: [] },
  };
  explainedBehind.set(presented, explained);
  return presented;
}

const NO_PAGE = { edges: [], nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null } };

const CURSOR = 'explained-policy';
const isKey = (key: string): boolean => /^\d{1,9}$/.test(key);

export const AgentPolicyExplanation: Pick<AgentPolicyExplanationResolvers<ExplainContext>, 'policies' | 'changes'> = {
  policies(explanation, args) {
    const explained = behind(explanation);
    const page = pageAt(explained.explanation.policies, pageRequest(CURSOR, args, isKey));
    return connectionOf(
      page,
      ({ place }) => cursorOf(CURSOR, String(place)),
      ({ item }) => presentPolicy(item, explained),
    );
  },
  changes: async (explanation) => (await changesFor(behind(explanation))).map(presentChange),
};

/** Of a list that is whole: cursors are places in it. */
function pageAt<Item>(items: readonly Item[], { first, after }: PageRequest): Page<{ readonly item: Item; readonly place: number }> {
  const start = after === null ? 0 : Number(after) + 1;
  const shown = items.slice(start, start + first).map((item, index) => ({ item, place: start + index }));
  return { items: shown, hasNextPage: items.length > start + first, hasPreviousPage: after !== null };
}

function presentPolicy({ policy, outcome, isDeciding, statements }: ExplainedPolicy, explained: PoliciesExplained) {
  const { line, draft } = explained;
  const level = line.indexOf(policy.namespaceId) + 1;
  const isDraft = draft?.policy === policy;
  const presented = {
    ...{ policyId: policy.id, name: policy.name, namespaceId: policy.namespaceId, level, mode: policy.mode, isDraft, isDeciding, outcome },
    namespaceKind: level === 1 ? ('ORGANIZATION' as const) : level === line.length ? ('PROJECT' as const) : ('GROUP' as const),
    revisionNumber: isDraft ? null : policy.revision,
    statements: [],
  };
  statementsBehind.set(presented, () =>
    statements().map((statement) => presentStatement(statement, { explained, policyId: policy.id, revision: policy.revision })),
  );
  return presented;
}

type PresentedStatement = ReturnType<typeof presentStatement>;
const statementsBehind = new WeakMap<object, () => readonly PresentedStatement[]>();

/** Where a statement stands. */
interface Origin {
  readonly explained: PoliciesExplained;
  readonly policyId: string;
  readonly revision: number;
}

const originBehind = new WeakMap<object, Origin>();

function presentStatement({ index, severity, clause, misfits, ...statement }: ExplainedStatement, origin: Origin) {
  const presented = {
    ...statement,
    number: index + 1,
    severity: presentSeverity(severity ?? undefined),
    misfits: [...misfits],
    clause: clause === null ? null : { ...clause, kind: clause.kind === 'when' ? ('WHEN' as const) : ('UNLESS' as const) },
  };
  originBehind.set(presented, origin);
  return presented;
}

export const AgentExplainedPolicy: Pick<AgentExplainedPolicyResolvers<ExplainContext>, 'statements'> = {
  statements: (policy) => [...(statementsBehind.get(policy)?.() ?? [])],
};

export const AgentExplainedStatement: Pick<AgentExplainedStatementResolvers<ExplainContext>, 'line'> = {
  async line(statement, _args, { revisionText }) {
    const origin = originBehind.get(statement);
    if (origin === undefined) return null;
    const { explained, policyId, revision } = origin;
    const text = explained.draft?.policy.id === policyId ? explained.draft.text : await revisionText(policyId, revision);
    return text === null ? null : (statementLines(text)[statement.number - 1] ?? null);
  },
};

const presentChange = ({ kind, from, to, message, policy, evaluation }: VerdictChange) => ({
  ...{ kind, from, to, message, policyId: policy?.id ?? null },
  ...{
    verdict: evaluation.verdict,
    basis: evaluation.basis,
    obligations: [...evaluation.obligations],
    approvalNeeded: evaluation.approval,
  },
});
