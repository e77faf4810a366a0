import { randomUUID } from 'node:crypto';
import { authorOf, eventOf, OWN_SOURCE, seal, whoDid, type Append, type Author, type Humans } from '../audit/index.js';
import { maintainedNamespace, type Directory, type Namespace } from '../directory/index.js';
import { requireScope, sha256Hex, type Clock, type OrganizationId, type Viewer } from '../kernel/index.js';
import type { Policy, PolicyProblem, Revision } from './policy.js';
import type { PolicyParser, PolicyReader, PolicyTransaction } from './ports.js';
import { readText } from './read-text.js';

export interface PolicyChanging {
  readonly directory: Directory;
  readonly policies: PolicyReader;
  readonly humans: Humans;
  readonly parser: PolicyParser;
  readonly clock: Clock;
  /** Runs `work` in one transaction: all of it happens, or nothing. */
  atomically<Result>(organizationId: OrganizationId, work: (tx: PolicyTransaction) => Promise<Result>): Promise<Result>;
  /** Tells decision processes and the sequencer that the organization's policies have changed. */
  announce(organizationId: OrganizationId): void;
}

export interface PolicyDraft {
  readonly namespaceId: string;
  readonly name: string;
  readonly description: string | null;
  readonly text: string;
}

export interface PublishRequest {
  readonly policyId: string;
  /** The latest revision that the author has seen. */
  readonly basedOn: number;
  /** Null: the draft's. */
  readonly text: string | null;
  readonly message: string | null;
}

export type RetireRequest = Omit<PublishRequest, 'text'>;

type Invalid = { readonly kind: 'invalid'; readonly problems: readonly PolicyProblem[] };
type NotFound = { readonly kind: 'notFound'; readonly field: string };
type Conflict = { readonly kind: 'conflict'; readonly basedOn: number; readonly latest: number };
type Done = { readonly kind: 'done'; readonly policy: Policy };

export type CreateOutcome = Done | Invalid | NotFound | { readonly kind: 'nameTaken'; readonly name: string };
export type PublishOutcome = Done | Invalid | NotFound | Conflict;
export type RetireOutcome = Done | NotFound | Conflict;

/**
 * Creates a policy as a draft, which decides nothing.
 *
 * Needs the scope `policy:write` and the role MAINTAINER or OWNER in the namespace or above.
 */
export async function createPolicy(deps: PolicyChanging, viewer: Viewer, draft: PolicyDraft): Promise<CreateOutcome> {
  requireScope(viewer, 'policy:write');
  const namespace = await maintainedNamespace(deps.directory, viewer, draft.namespaceId);
  if (namespace === null) return { kind: 'notFound', field: 'namespaceId' };
  const parsed = await readText(deps.parser, draft.text);
  if ('problems' in parsed) return { kind: 'invalid', problems: parsed.problems };

  const { text, ...named } = draft;
  const policy: Policy = {
    id: randomUUID(),
    ...named,
    status: 'DRAFT',
    draftText: text,
    latestRevision: 0,
    createdAt: deps.clock(),
    createdBy: viewer.userId,
  };
  const author = await authorOf(deps.humans, viewer);
  const outcome = await deps.atomically(viewer.organizationId, async ({ policies, auditLog }): Promise<CreateOutcome> => {
    if (!(await policies.insert(viewer.organizationId, policy))) return { kind: 'nameTaken', name: policy.name };
    await auditLog.append(viewer.organizationId, [
      recordOf(deps, author, namespace, { type: 'ai_policy_created', policy, revision: 0, text, message: null }),
    ]);
    return { kind: 'done', policy };
  });
  if (outcome.kind === 'done') deps.announce(viewer.organizationId);
  return outcome;
}

/** Makes the next revision of a policy and puts it in force. Refused when somebody else published since `basedOn`. */
export async function publishPolicy(deps: PolicyChanging, viewer: Viewer, request: PublishRequest): Promise<PublishOutcome> {
  requireScope(viewer, 'policy:write');
  const found = await maintainedPolicy(deps, viewer, request.policyId);
  if (found === null) return { kind: 'notFound', field: 'policyId' };
  const text = request.text ?? found.policy.draftText;
  const parsed = await readText(deps.parser, text);
  if ('problems' in parsed) return { kind: 'invalid', problems: parsed.problems };

  const author = await authorOf(deps.humans, viewer);
  return changed(deps, viewer, request, (tx, locked) =>
    addRevision(deps, author, tx, found.namespace, { policy: locked, status: 'PUBLISHED', text, statements: parsed.statements, request }),
  );
}

/**
 * Takes a policy out of force. A retired one can be published again, by somebody who has seen that it was retired: a retirement
 * is a revision too.
 */
export async function retirePolicy(deps: PolicyChanging, viewer: Viewer, request: RetireRequest): Promise<RetireOutcome> {
  requireScope(viewer, 'policy:write');
  const found = await maintainedPolicy(deps, viewer, request.policyId);
  if (found === null) return { kind: 'notFound', field: 'policyId' };
  const author = await authorOf(deps.humans, viewer);
  const isRetired = ({ status }: Policy): boolean => status === 'RETIRED';
  return changed(
    deps,
    viewer,
    request,
    (tx, locked) =>
      addRevision(deps, author, tx, found.namespace, {
        policy: locked,
        status: 'RETIRED',
        text: locked.draftText,
        statements: [],
        request,
      }),
    isRetired,
  );
}

interface Change extends Pick<Revision, 'status' | 'text' | 'statements'> {
  readonly policy: Policy;
  readonly request: RetireRequest;
}

/** Stores the next revision with its record; the policy as it is then. */
async function addRevision(
  deps: PolicyChanging,
  author: Author,
  { policies, auditLog }: PolicyTransaction,
  namespace: Namespace,
  { policy, status, text, statements, request: { message } }: Change,
): Promise<Policy> {
  const revision = policy.latestRevision + 1;
  await policies.addRevision(author.organizationId, {
    policyId: policy.id,
    revision,
    status,
    text,
    statements,
    digest: sha256Hex(text),
    message,
    publishedAt: deps.clock(),
    publishedBy: author.userId,
  });
  const type = status === 'PUBLISHED' ? 'ai_policy_published' : 'ai_policy_retired';
  await auditLog.append(author.organizationId, [recordOf(deps, author, namespace, { type, policy, revision, text, message })]);
  return { ...policy, status, draftText: text, latestRevision: revision };
}

async function changed(
  deps: PolicyChanging,
  viewer: Viewer,
  request: RetireRequest,
  change: (tx: PolicyTransaction, locked: Policy) => Promise<Policy>,
  isDone: (locked: Policy) => boolean = () => false,
): Promise<RetireOutcome> {
  const outcome = await deps.atomically(viewer.organizationId, async (tx): Promise<RetireOutcome> => {
    const locked = await tx.policies.lock(viewer.organizationId, request.policyId);
    if (locked === null) return { kind: 'notFound', field: 'policyId' };
    if (isDone(locked)) return { kind: 'done', policy: locked };
    if (locked.latestRevision !== request.basedOn) return { kind: 'conflict', basedOn: request.basedOn, latest: locked.latestRevision };
    const policy = await change(tx, locked);
    await tx.epoch.raise(viewer.organizationId);
    return { kind: 'done', policy };
  });
  if (outcome.kind === 'done') deps.announce(viewer.organizationId);
  return outcome;
}

async function maintainedPolicy(
  deps: PolicyChanging,
  viewer: Viewer,
  policyId: string,
): Promise<{ readonly policy: Policy; readonly namespace: Namespace } | null> {
  const [policy] = await deps.policies.byIds(viewer.organizationId, [policyId]);
  if (policy === undefined) return null;
  const namespace = await maintainedNamespace(deps.directory, viewer, policy.namespaceId);
  return namespace === null ? null : { policy, namespace };
}

interface PolicyRecord {
  readonly type: string;
  readonly policy: Policy;
  readonly revision: number;
  readonly text: string;
  readonly message: string | null;
}

function recordOf(
  deps: PolicyChanging,
  author: Author,
  namespace: Namespace,
  { type, policy, revision, text, message }: PolicyRecord,
): Append {
  const now = deps.clock();
  const event = eventOf(author.organizationId, now, {
    type,
    source: OWN_SOURCE,
    sourceId: randomUUID(),
    occurredAt: now.toISOString(),
    namespaceId: namespace.id,
    projectId: namespace.kind === 'PROJECT' ? namespace.id : null,
    ...whoDid(author),
    agentId: null,
    sessionId: null,
    callId: null,
    tool: null,
    verdict: null,
    outcome: null,
    data: { policyId: policy.id, name: policy.name, namespaceId: policy.namespaceId, revision, digest: sha256Hex(text), message },
  });
  return { sealed: seal(event), key: null };
}
