import { actorOf, eventsById, humansBehind, scopeOf, type Humans, type Reading, type StoredEvent } from '../../audit/index.js';
import { readableNamespaces, type Agent, type Namespace } from '../../directory/index.js';
import { userId, type Viewer } from '../../kernel/index.js';
import {
  callIn,
  evaluate,
  explainCall,
  readDraft,
  UNASKED_BASES,
  type Approval,
  type CallExplanation,
  type DraftReading,
  type PolicyInForce,
  type PolicyProblem,
  type PolicySet,
  type ToolCall,
} from '../../policy/index.js';
import { decisionIn } from '../decision.js';
import { callOf, gather, type Asked } from '../gather.js';
import type { ShadowVerdict } from '../shadow.js';
import type { Facts, Snapshots } from '../snapshot.js';
import { mayAskFor, mayBeToldOf } from './asking-for.js';
import { policiesAsked, type PoliciesAsked } from './policies-asked.js';

export interface Explaining extends DraftReading {
  readonly snapshots: Snapshots;
  readonly events: Reading['events'];
  readonly humans: Humans;
}

/** What is to be explained. */
export interface ExplainRequest {
  readonly subject:
    | { readonly kind: 'call'; readonly asked: Asked; readonly userId: string | null; readonly at: Date | null }
    | { readonly kind: 'decision'; readonly decisionId: string };
  /** As if humans had approved the call like this; null: as it is. */
  readonly approval: Approval | null;
  /** The policy whose draft is taken as if it were enforced. */
  readonly draftPolicyId: string | null;
}

export interface PoliciesExplained {
  readonly epoch: number;
  readonly call: ToolCall;
  /** Of a registered tool. */
  readonly toolId: string | null;
  /** Ids of the namespaces whose policies were asked, from the organization down to the project. */
  readonly line: readonly string[];
  /** The moment whose policies were asked. */
  readonly asOf: Date;
  /** The policies that were asked. */
  readonly set: PolicySet;
  readonly explanation: CallExplanation;
  readonly shadow: ShadowVerdict | null;
  /** The decision that is explained. */
  readonly decision: StoredEvent | null;
  readonly isWhole: boolean;
  readonly draft: Draft | null;
  /** Whether the viewer may be told what the directory says of the agent: in what was read, and in what would turn the verdict. */
  readonly tellsOfAgent: boolean;
}

interface Draft {
  readonly policy: PolicyInForce;
  readonly text: string;
}

export type ExplainOutcome =
  | { readonly kind: 'explained'; readonly explained: PoliciesExplained }
  | { readonly kind: 'notFound'; readonly field: 'projectId' | 'userId' | 'decisionId' | 'draftPolicyId' }
  | { readonly kind: 'invalid'; readonly path: string; readonly message: string }
  | { readonly kind: 'draftInvalid'; readonly problems: readonly PolicyProblem[] };

/**
 * Explains what a call would be answered, or what was answered to a call that was decided. Decides nothing, records nothing.
 *
 * Whoever is a member of the project may read the policies there, and so may ask; on behalf of another user, who maintains, owns or
 * audits it.
 *
 * @throws Failure FORBIDDEN when a decision is to be explained without the scope `audit:read`; UNAVAILABLE.
 */
export async function explainPolicies(deps: Explaining, viewer: Viewer, request: ExplainRequest): Promise<ExplainOutcome> {
  const draft = request.draftPolicyId === null ? null : await readDraft(deps, viewer, request.draftPolicyId);
  if (draft?.kind === 'notFound') return { kind: 'notFound', field: 'draftPolicyId' };
  if (draft?.kind === 'invalid') return { kind: 'draftInvalid', problems: draft.problems };

  const { subject } = request;
  const stored = subject.kind === 'decision' ? await eventNamed(deps, viewer, subject.decisionId) : null;
  return deps.snapshots.read(viewer.organizationId, async (facts): Promise<ExplainOutcome> => {
    const found = await (subject.kind === 'call' ? calledBy(deps, viewer, facts, subject) : recordedIn(deps, viewer, facts, stored));
    if (found.kind !== 'found') return found;
    if (draft !== null && !found.line.includes(draft.policy.namespaceId))
      return {
        kind: 'invalid',
        path: 'draftPolicyId',
        message: 'must be attached to the project or above it: elsewhere it would decide nothing',
      };
    const call = { ...found.call, approval: request.approval ?? found.call.approval };
    return { kind: 'explained', explained: await explainedBy(deps, viewer, facts, { ...found, call, draft }) };
  });
}

async function eventNamed(deps: Explaining, viewer: Viewer, id: string): Promise<StoredEvent | null> {
  const [stored] = await eventsById(deps, viewer, await scopeOf(deps, viewer), [id]);
  return stored ?? null;
}

/** The call, with where and when it is asked about. */
interface Found {
  readonly kind: 'found';
  readonly project: Namespace;
  readonly line: readonly string[];
  readonly call: ToolCall;
  /** As the directory has it now; null for one that it does not know, and where a decision is explained. */
  readonly agent: Agent | null;
  readonly toolId: string | null;
  /** When the policies are in force; null: now. */
  readonly at: Date | null;
  readonly decision: StoredEvent | null;
  readonly isWhole: boolean;
}

type Subject<Kind> = Extract<ExplainRequest['subject'], { readonly kind: Kind }>;
type Refused = Exclude<ExplainOutcome, { readonly kind: 'explained' }>;

async function calledBy(
  deps: Explaining,
  viewer: Viewer,
  facts: Facts,
  { asked, userId: named, at }: Subject<'call'>,
): Promise<Found | Refused> {
  const project = await facts.project(asked.projectId);
  if (project === null || (await facts.level(viewer.userId, project)) === 0) return { kind: 'notFound', field: 'projectId' };
  const user = named === null ? viewer.userId : userId(named);
  if (!(await mayAskFor(facts, viewer, user, project))) return { kind: 'notFound', field: 'userId' };
  const actor = await actorOf(deps.humans, { organizationId: viewer.organizationId, userId: user }, asked.sessionId);
  const gathered = await gather(facts, user, asked, await humansBehind(deps.humans, viewer.organizationId, actor));
  if (gathered === null || gathered.level === 0) return { kind: 'notFound', field: 'userId' };
  const call = callOf(user, asked, gathered, at ?? deps.clock());
  const { agent, named: tool } = gathered;
  const about = { project, line: project.ancestors, call, agent, toolId: tool.tool?.id ?? null };
  return { kind: 'found', ...about, at, decision: null, isWhole: true };
}

/** The call that was decided, asked about where and when it was made. */
async function recordedIn(deps: Explaining, viewer: Viewer, facts: Facts, stored: StoredEvent | null): Promise<Found | Refused> {
  const decision = stored === null ? null : decisionIn(stored);
  const project = stored?.event.projectId == null ? null : await facts.project(stored.event.projectId);
  if (stored === null || decision === null || project === null || (await facts.level(viewer.userId, project)) === 0)
    return { kind: 'notFound', field: 'decisionId' };
  if (UNASKED_BASES.some((basis) => basis === decision.basis))
    return unexplainable('was made without asking any policy: its explanation says why');
  const recorded = callIn(stored);
  if (recorded === null)
    return unexplainable('was made before everything that is known of a call was recorded with it, and cannot be explained');
  const { call, isWhole } = recorded;
  if (!(await mayAskFor(facts, viewer, userId(call.user.id), project))) return { kind: 'notFound', field: 'decisionId' };
  const line = call.projectLine.map(({ id }) => id);
  if (!(await mayReadAlong(deps, viewer, line, project)))
    return unexplainable(
      'was made when the project lay below another namespace; only who may read the policies there can have it explained',
    );
  return { kind: 'found', project, line, call, agent: null, toolId: decision.toolId, at: call.now, decision: stored, isWhole };
}

const unexplainable = (message: string): Refused => ({ kind: 'invalid', path: 'decisionId', message });

/** Whether the viewer, a member of the project, may read the policies along the line on which it lay. */
async function mayReadAlong({ directory }: Explaining, viewer: Viewer, line: readonly string[], project: Namespace): Promise<boolean> {
  const others = line.filter((id) => !project.ancestors.includes(id));
  return others.length === 0 || (await readableNamespaces(directory, viewer, others)).size === others.length;
}

async function explainedBy(
  deps: Explaining,
  viewer: Viewer,
  facts: Facts,
  found: Found & { readonly draft: Draft | null },
): Promise<PoliciesExplained> {
  const { project, line, call, agent, toolId, decision, isWhole, draft } = found;
  const { organizationId } = viewer;
  const { asOf, set, watched, asIfEnforced } = await policiesAsked(deps, facts, { ...found, organizationId }, draft?.policy ?? null);
  const told = explainCall(set, watched, call, line);
  // Whoever may see a decision is shown everything that was known of its call.
  const tellsOfAgent = decision !== null || (await mayBeToldOf(facts, viewer, agent, project));
  const explanation = tellsOfAgent ? told : { ...told, facts: told.facts.filter(({ isOfAgent }) => !isOfAgent) };
  return {
    ...{ epoch: facts.epoch, call, toolId, line, asOf, set, explanation, decision, isWhole, draft, tellsOfAgent },
    shadow: shadowOf(asIfEnforced, call, explanation),
  };
}

function shadowOf(asIfEnforced: PoliciesAsked['asIfEnforced'], call: ToolCall, { evaluation }: CallExplanation): ShadowVerdict | null {
  if (asIfEnforced === null) return null;
  const { verdict, basis, reasons } = evaluate(asIfEnforced(), call);
  return verdict === evaluation.verdict ? null : { verdict, basis, reasons };
}
