import { eventsById, scopeOf, type Reading, type StoredEvent } from '../../audit/index.js';
import type { Namespace } from '../../directory/index.js';
import { userId, type Clock, type Viewer } from '../../kernel/index.js';
import {
  callIn,
  compiledEngine,
  evaluate,
  explainCall,
  preparePolicySet,
  readDraft,
  withShadows,
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
import { mayAskFor } from './asking-for.js';

export interface Explaining extends DraftReading {
  readonly snapshots: Snapshots;
  readonly events: Reading['events'];
  readonly clock: Clock;
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
  readonly project: Namespace;
  /** The policies that were asked. */
  readonly set: PolicySet;
  readonly explanation: CallExplanation;
  readonly shadow: ShadowVerdict | null;
  /** The decision that is explained. */
  readonly decision: StoredEvent | null;
  readonly isWhole: boolean;
  readonly draft: Draft | null;
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
 * Explains what a call would be answered, or what would be answered now to a call that was decided. Decides nothing, records nothing.
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
    const found = await (subject.kind === 'call' ? calledBy(deps, viewer, facts, subject) : recordedIn(viewer, facts, stored));
    if (found.kind !== 'found') return found;
    const { project } = found;
    if (draft !== null && !project.ancestors.includes(draft.policy.namespaceId))
      return {
        kind: 'invalid',
        path: 'draftPolicyId',
        message: 'must be attached to the project or above it: elsewhere it would decide nothing',
      };
    const call = { ...found.call, approval: request.approval ?? found.call.approval };
    return { kind: 'explained', explained: explainedBy(deps, facts, { ...found, call, draft }) };
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
  readonly call: ToolCall;
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
  const gathered = (await mayAskFor(facts, viewer, user, project)) ? await gather(facts, user, asked) : null;
  if (gathered === null) return { kind: 'notFound', field: 'userId' };
  const call = callOf(user, asked, gathered, at ?? deps.clock());
  return { kind: 'found', project, call, toolId: gathered.named.tool?.id ?? null, at, decision: null, isWhole: true };
}

/** The call that was decided, asked about in the project as it is now. */
async function recordedIn(viewer: Viewer, facts: Facts, stored: StoredEvent | null): Promise<Found | Refused> {
  const decision = stored === null ? null : decisionIn(stored);
  const project = stored?.event.projectId == null ? null : await facts.project(stored.event.projectId);
  if (stored === null || decision === null || project === null || (await facts.level(viewer.userId, project)) === 0)
    return { kind: 'notFound', field: 'decisionId' };
  const recorded = callIn(stored);
  if (recorded === null)
    return {
      kind: 'invalid',
      path: 'decisionId',
      message: 'was made before everything that is known of a call was recorded with it, and cannot be explained',
    };
  const { call, isWhole } = recorded;
  if (!(await mayAskFor(facts, viewer, userId(call.user.id), project))) return { kind: 'notFound', field: 'decisionId' };
  return { kind: 'found', project, call, toolId: decision.toolId, at: null, decision: stored, isWhole };
}

function explainedBy(deps: Explaining, facts: Facts, found: Found & { readonly draft: Draft | null }): PoliciesExplained {
  const { project, call, toolId, decision, isWhole, draft } = found;
  const { set, watched, asIfEnforced } = policiesFor(deps, facts, found);
  const explanation = explainCall(set, watched, call, project.ancestors);
  return {
    ...{ epoch: facts.epoch, call, toolId, project, set, explanation, decision, isWhole, draft },
    shadow: shadowOf(asIfEnforced, call, explanation),
  };
}

interface Asking {
  readonly set: PolicySet;
  readonly watched: readonly PolicyInForce[];
  /** As if those that are only watched were enforced; null where none is. */
  readonly asIfEnforced: (() => PolicySet) | null;
}

/** Policies of now are those that decisions have ready; others are made ready for this one question. */
function policiesFor(
  deps: Explaining,
  facts: Facts,
  { project, at, draft }: { readonly project: Namespace; readonly at: Date | null; readonly draft: Draft | null },
): Asking {
  const now = deps.clock();
  const isNow = at === null || at <= now;
  const inForce = facts.inForce(project, isNow ? now : at);
  if (isNow && draft === null) {
    const shadows = facts.shadows(project, now);
    return { set: facts.policySet(project, now), watched: inForce.shadows, asIfEnforced: shadows === null ? null : shadows.set };
  }
  const isOther = ({ id }: PolicyInForce): boolean => id !== draft?.policy.id;
  const enforced = [...inForce.enforced.filter(isOther), ...(draft === null ? [] : [draft.policy])];
  const watched = inForce.shadows.filter(isOther);
  const prepare = (policies: readonly PolicyInForce[]) => preparePolicySet(compiledEngine, policies);
  return {
    set: prepare(enforced),
    watched,
    asIfEnforced: watched.length === 0 ? null : () => prepare(withShadows({ enforced, shadows: watched })),
  };
}

function shadowOf(asIfEnforced: Asking['asIfEnforced'], call: ToolCall, { evaluation }: CallExplanation): ShadowVerdict | null {
  if (asIfEnforced === null) return null;
  const { verdict, basis, reasons } = evaluate(asIfEnforced(), call);
  return verdict === evaluation.verdict ? null : { verdict, basis, reasons };
}
