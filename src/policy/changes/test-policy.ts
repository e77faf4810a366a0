import { maintainedNamespace, readableNamespaces, type Directory, type Namespace } from '../../directory/index.js';
import { isUuid, type Viewer } from '../../kernel/index.js';
import type { Written } from '../policy.js';
import { policiesById, type PolicyReading } from '../read-policies.js';
import type { Trial } from '../try-out.js';
import {
  casesAfter,
  readAndTry,
  unacceptable,
  type CasesInvalid,
  type Invalid,
  type NotFound,
  type PolicyChanging,
  type Unacceptable,
} from './changing.js';

export interface TestRequest {
  /** Null: a policy that does not exist yet. */
  readonly policyId: string | null;
  /** Where that would be attached. */
  readonly namespaceId: string | null;
  /** Null: the draft's. */
  readonly text: string | null;
  /** Null: the draft's. Empty: none. */
  readonly cases: string | null;
}

export type TestOutcome = { readonly kind: 'tested'; readonly trial: Trial } | Invalid | CasesInvalid | Unacceptable | NotFound;

/**
 * Runs the cases of a draft, or of a text that is stored nowhere, and looks for what its author may not have meant. Changes and records
 * nothing.
 *
 * The draft is for whoever may read it: what is told of others is what a decision tells. Whatever else is tried needs the role MAINTAINER or
 * OWNER in the namespace or above, as storing it does, but no scope: nothing is stored.
 *
 * @throws Failure FORBIDDEN when what is not stored is tried by a member without that role.
 */
export async function testPolicy(deps: PolicyChanging & PolicyReading, viewer: Viewer, request: TestRequest): Promise<TestOutcome> {
  const found = await testedPolicy(deps, viewer, request);
  if ('kind' in found) return found;
  const { namespace, ...policy } = found;
  const read = await readAndTry(deps, viewer, namespace, policy);
  return 'problems' in read ? read : { kind: 'tested', trial: read.trial };
}

interface Tested extends Written {
  readonly id: string | null;
  readonly name: string;
  readonly namespace: Namespace;
}

async function testedPolicy(
  deps: PolicyChanging & PolicyReading,
  viewer: Viewer,
  { policyId, namespaceId, text, cases }: TestRequest,
): Promise<Tested | Unacceptable | NotFound> {
  if ((policyId === null) === (namespaceId === null))
    return unacceptable('policyId', 'name either a policy or, for one that does not exist yet, the namespace to attach it to');
  if (policyId === null) {
    if (text === null) return unacceptable('text', 'is missing: a policy that does not exist yet has no draft');
    const namespace = await maintainedNamespace(deps.directory, viewer, namespaceId ?? '');
    const written = { text, cases: casesAfter(cases, null) };
    return namespace === null ? { kind: 'notFound', field: 'namespaceId' } : { id: null, name: NAMELESS, namespace, ...written };
  }
  const [policy] = isUuid(policyId) ? await policiesById(deps, viewer, [policyId]) : [];
  const isStored = text === null && cases === null;
  const find = isStored ? readableNamespace : maintainedNamespace;
  const namespace = policy == null ? null : await find(deps.directory, viewer, policy.namespaceId);
  if (policy == null || namespace === null) return { kind: 'notFound', field: 'policyId' };
  const { id, name, draft } = policy;
  return { id, name, namespace, text: text ?? draft.text, cases: casesAfter(cases, draft.cases) };
}

/** As what a policy without a name is named among the reasons. */
const NAMELESS = 'this policy';

/** The namespace, for somebody who may read its policies; null when it does not exist for the viewer. */
async function readableNamespace(directory: Directory, viewer: Viewer, id: string): Promise<Namespace | null> {
  const [namespace] = await directory.namespaces(viewer.organizationId, [id]);
  const readable = await readableNamespaces(directory, viewer, [id]);
  return namespace !== undefined && readable.has(id) ? namespace : null;
}
