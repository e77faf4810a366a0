import { authorOf, type Author } from '../../audit/index.js';
import { maintainedNamespace, type Namespace } from '../../directory/index.js';
import { Failure, requireScope, type Viewer } from '../../kernel/index.js';
import type { BacktestNeeded } from '../backtest/demand.js';
import { AT_ONCE, type Policy, type PolicyInForce, type Statement } from '../policy.js';
import type { PolicyTransaction } from '../ports.js';
import { expectCheck, type SelfCheckFailed } from '../self-check/check-revisions.js';
import {
  MAX_RULES,
  placeRules,
  ruleKey,
  ruleProblem,
  textOfRules,
  type RuleBook,
  type RuleChange,
  type RuleHolder,
  type RuleRequest,
  type RuleVerdict,
} from '../tool-rules.js';
import { lineOf } from '../try-out.js';
import { readFor, type Invalid, type NotFound, type PolicyChanging, type ReviewNeeded } from './changing.js';
import { newPolicy } from './create-policy.js';
import { addRevision } from './publish-policy.js';
import { policyRecord, recordIn } from './record.js';

export interface SetRulesRequest {
  readonly namespaceId: string;
  readonly rules: readonly RuleRequest[];
  readonly message: string | null;
}

/** What became of one rule. */
export interface RuleResult {
  readonly status: 'CHANGED' | 'UNCHANGED' | 'REJECTED';
  /** What the rule was before; null when there was none, or it was rejected. */
  readonly previous: RuleVerdict | null;
  /** The policy that holds its text, or held it last; null when there is none. */
  readonly policyId: string | null;
  /** Null unless rejected. */
  readonly reason: string | null;
}

export type SetRulesOutcome =
  | { readonly kind: 'done'; /** In the order of the request. */ readonly results: readonly RuleResult[] }
  | NotFound
  | Invalid
  | ReviewNeeded
  | BacktestNeeded
  | SelfCheckFailed;

/** How often planning begins anew when somebody else changes the rules meanwhile. */
const MAX_TRIES = 5;

/**
 * Sets rules of the form "this tool for agents of this class: allow, ask or deny" for a namespace and everything below. They come in
 * force together, as policies whose text they make. What is set already changes and records nothing; a rule that is not acceptable is
 * rejected, and the others are set.
 *
 * Needs the scope `policy:write` and the role MAINTAINER or OWNER in the namespace or above.
 *
 * @throws Failure UNAVAILABLE when somebody else changes the rules every time.
 */
export async function setToolRules(deps: PolicyChanging, viewer: Viewer, request: SetRulesRequest): Promise<SetRulesOutcome> {
  requireScope(viewer, 'policy:write');
  const namespace = await maintainedNamespace(deps.directory, viewer, request.namespaceId);
  if (namespace === null) return { kind: 'notFound', field: 'namespaceId' };
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    const outcome = await setOnce(deps, viewer, namespace, request);
    if (outcome !== null) return outcome;
  }
  throw new Failure('UNAVAILABLE', 'Somebody else changes the rules of this namespace all the time. Try again.');
}

/**
 * Texts are parsed between two transactions, not inside one: a thousand rules take a second or two. Null when somebody else changed the
 * rules meanwhile.
 */
async function setOnce(
  deps: PolicyChanging,
  viewer: Viewer,
  namespace: Namespace,
  { rules, message }: SetRulesRequest,
): Promise<SetRulesOutcome | null> {
  const { organizationId } = viewer;
  const expected = expectCheck(deps, viewer, namespace);
  const book = await deps.atomically(organizationId, ({ policies }) => policies.lockToolRules(organizationId, namespace.id));
  const plan = planFor(book, rules);
  const texts = await textsOf(deps, viewer, namespace, plan.holders);
  if ('problems' in texts) return texts;
  const line = await lineOf(deps, organizationId, namespace);
  const fault = await expected.check({ own: rulesInForce(namespace, book, texts), beside: [], line });
  if (fault !== null) return fault;

  const by = await authorOf(deps.humans, viewer);
  const outcome = await deps.atomically(organizationId, async (tx): Promise<SetRulesOutcome | null> => {
    if (!isSame(book, await tx.policies.lockToolRules(organizationId, namespace.id))) return null;
    if (plan.changes.length === 0) return { kind: 'done', results: plan.results };
    const demandedBy = await tx.policies.demandingReview(organizationId, namespace.ancestors);
    if (demandedBy.length > 0) return { kind: 'reviewNeeded', what: 'RULES', demandedBy };
    const demands = await tx.backtests.demands(organizationId, namespace.ancestors);
    if (demands.size > 0) return { kind: 'backtestNeeded', what: 'RULES', demandedBy: [...demands.keys()], problems: [] };
    const holders = await writeHolders(deps, by, tx, namespace, { book, texts, message });
    await writeChanges(deps, by, tx, namespace, { book, changes: plan.changes, holders });
    await tx.epoch.raise(organizationId);
    const results = plan.results.map((result, index) => {
      const rule = rules[index];
      return rule === undefined || result.status !== 'CHANGED'
        ? result
        : { ...result, policyId: holders.get(ruleKey(rule)) ?? result.policyId };
    });
    return { kind: 'done', results };
  });
  if (outcome?.kind === 'done') deps.announce(organizationId);
  return outcome;
}

interface Plan {
  readonly results: readonly RuleResult[];
  /** The rules that are to be another than they are. */
  readonly changes: readonly RuleRequest[];
  /** The policies whose text changes by that. */
  readonly holders: readonly RuleHolder[];
}

function planFor({ policies, rules }: RuleBook, requests: readonly RuleRequest[]): Plan {
  const stored = new Map(rules.map((rule) => [ruleKey(rule), rule]));
  const first = new Map<string, number>();
  const changes: RuleRequest[] = [];
  let count = rules.length;
  const results = requests.map((request, index): RuleResult => {
    const key = ruleKey(request);
    const rejected = (reason: string): RuleResult => ({ status: 'REJECTED', previous: null, policyId: null, reason });
    const problem = ruleProblem(request);
    if (problem !== null) return rejected(problem);
    const earlier = first.get(key);
    if (earlier !== undefined) return rejected(`the same tool and class are in rule ${earlier} of the input already, counted from 0`);
    first.set(key, index);
    const before = stored.get(key);
    const about = { previous: before?.verdict ?? null, policyId: before?.policyId ?? null, reason: null };
    if (about.previous === request.verdict) return { status: 'UNCHANGED', ...about };
    if (before === undefined && count >= MAX_RULES)
      return rejected(`the namespace has ${MAX_RULES} rules already, as many as there can be`);
    count += Number(about.previous === null) - Number(request.verdict === null);
    changes.push(request);
    return { status: 'CHANGED', ...about };
  });
  const boxes = policies.map(({ id }) => ({ policyId: id, rules: rules.filter(({ policyId }) => policyId === id) }));
  return { results, changes, holders: placeRules(boxes, changes).filter(({ isChanged }) => isChanged) };
}

/** Rules change only together with a revision of a policy that holds some. */
const isSame = (left: RuleBook, right: RuleBook): boolean => revisionsIn(left) === revisionsIn(right);
const revisionsIn = ({ policies }: RuleBook): string =>
  JSON.stringify(policies.map(({ id, latestRevision }) => [id, latestRevision]).sort());

interface Texts {
  readonly read: readonly { readonly holder: RuleHolder; readonly text: string; readonly statements: readonly Statement[] }[];
}

/** One after the other: each parse is a thread of its own. */
async function textsOf(
  deps: PolicyChanging,
  viewer: Viewer,
  namespace: Namespace,
  holders: readonly RuleHolder[],
): Promise<Texts | Invalid> {
  const read: { holder: RuleHolder; text: string; statements: readonly Statement[] }[] = [];
  for (const holder of holders) {
    const text = textOfRules(holder.rules);
    const parsed = holder.rules.length === 0 ? { statements: [] } : await readFor(deps, viewer, namespace, text);
    if ('problems' in parsed) return parsed;
    read.push({ holder, text, statements: parsed.statements });
  }
  return { read };
}

/** What holds the rules that change, as it would be in force. Rules are read by themselves, whatever is beside them. */
const rulesInForce = (namespace: Namespace, { policies }: RuleBook, { read }: Texts): readonly PolicyInForce[] =>
  read.map(({ holder: { policyId }, statements }, index) => {
    const known = policies.find(({ id }) => id === policyId);
    const named = { id: policyId ?? `tool rules/${index}`, name: known?.name ?? 'tool rules', revision: (known?.latestRevision ?? 0) + 1 };
    return { ...AT_ONCE, ...named, namespaceId: namespace.id, statements };
  });

interface Writing {
  readonly book: RuleBook;
  readonly texts: Texts;
  readonly message: string | null;
}

/** Publishes what holds rules and retires what holds none any more. By the key of each rule: the policy that holds it. */
async function writeHolders(
  deps: PolicyChanging,
  by: Author,
  tx: PolicyTransaction,
  namespace: Namespace,
  { book, texts, message }: Writing,
): Promise<ReadonlyMap<string, string>> {
  const holders = new Map<string, string>();
  let number = book.policies.length;
  for (const { holder, text, statements } of texts.read) {
    const known = book.policies.find(({ id }) => id === holder.policyId);
    const policy = known ?? (await newHolder(deps, by, tx, namespace, { text, nextNumber: () => (number += 1) }));
    const isEmpty = holder.rules.length === 0;
    await addRevision(deps, by, tx, namespace, {
      ...AT_ONCE,
      ...(isEmpty ? { type: 'ai_policy_retired', status: 'RETIRED' } : { type: 'ai_policy_published', status: 'PUBLISHED' }),
      ...{
        policy,
        text: isEmpty ? policy.draft.text : text,
        cases: null,
        statements,
        author: by.userId,
        reviewer: null,
        repeats: null,
        message,
      },
    });
    for (const rule of holder.rules) holders.set(ruleKey(rule), policy.id);
  }
  return holders;
}

/** A policy for rules, under the first name that is free. */
async function newHolder(
  deps: PolicyChanging,
  by: Author,
  tx: PolicyTransaction,
  namespace: Namespace,
  { text, nextNumber }: { readonly text: string; readonly nextNumber: () => number },
): Promise<Policy> {
  for (;;) {
    const named = {
      namespaceId: namespace.id,
      name: `tool rules ${nextNumber()}`,
      description: 'Follows from rules about tools.',
      text,
      cases: null,
    };
    const policy: Policy = { ...newPolicy(named, by, deps.clock()), origin: 'TOOL_RULES' };
    if (!(await tx.policies.insert(by.organizationId, policy))) continue;
    await tx.auditLog.append(by.organizationId, [
      policyRecord(deps, by, namespace, {
        type: 'ai_policy_created',
        policy,
        revision: 0,
        text,
        cases: null,
        message: null,
        draftVersion: 1,
      }),
    ]);
    return policy;
  }
}

interface Changing {
  readonly book: RuleBook;
  readonly changes: readonly RuleRequest[];
  readonly holders: ReadonlyMap<string, string>;
}

/** Stores the rules, with one event for each. */
async function writeChanges(
  deps: PolicyChanging,
  by: Author,
  tx: PolicyTransaction,
  namespace: Namespace,
  { book, changes, holders }: Changing,
): Promise<void> {
  const stored = new Map(book.rules.map((rule) => [ruleKey(rule), rule]));
  const written = changes.map((change): RuleChange => {
    const policyId = holders.get(ruleKey(change)) ?? stored.get(ruleKey(change))?.policyId;
    if (policyId === undefined) throw new Error('A rule that is set is held by a policy.');
    return { ...change, policyId };
  });
  await tx.policies.changeToolRules(by.organizationId, namespace.id, written, { at: deps.clock(), userId: by.userId });
  await tx.auditLog.append(
    by.organizationId,
    written.map(({ tool, agentClass, verdict, policyId }) => {
      const previousVerdict = stored.get(ruleKey({ tool, agentClass }))?.verdict ?? null;
      const data = { namespaceId: namespace.id, tool, agentClass, verdict, previousVerdict, policyId };
      return recordIn(deps, by, namespace, { type: 'ai_tool_rule_changed', tool, data });
    }),
  );
}
