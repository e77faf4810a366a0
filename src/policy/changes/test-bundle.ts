import { maintainedNamespace } from '../../directory/index.js';
import type { Viewer } from '../../kernel/index.js';
import { planBundle, type BundledPolicy } from '../bundle.js';
import { tryBundle, type BundledTrial } from '../try-bundle.js';
import { toStanding } from './apply-bundle.js';
import type { NotFound, PolicyChanging, Unacceptable } from './changing.js';
import { readBundle, repeatedName, type BundleInvalid } from './read-bundle.js';

export interface TestBundleRequest {
  readonly namespaceId: string;
  /** Everything that the folder holds. */
  readonly policies: readonly BundledPolicy[];
}

export type TestBundleOutcome =
  | { readonly kind: 'tested'; /** By name: of those that have cases, or would change. */ readonly trials: readonly BundledTrial[] }
  | BundleInvalid
  | Unacceptable
  | NotFound;

/**
 * Reads a folder and runs its cases, each beside what would be enforced if all of the folder were applied, and looks for what the authors
 * of what would change may not have meant. Changes and records nothing.
 *
 * Needs the role MAINTAINER or OWNER in the namespace or above, as applying does, but no scope: nothing is stored.
 *
 * @throws Failure FORBIDDEN when the viewer is a member without that role.
 */
export async function testBundle(deps: PolicyChanging, viewer: Viewer, request: TestBundleRequest): Promise<TestBundleOutcome> {
  const namespace = await maintainedNamespace(deps.directory, viewer, request.namespaceId);
  if (namespace === null) return { kind: 'notFound', field: 'namespaceId' };
  const repeated = repeatedName(request.policies);
  if (repeated !== null) return repeated;
  const names = request.policies.map(({ name }) => name);
  const found = await deps.policies.listBundle(viewer.organizationId, namespace.id, names);
  const bundle = await readBundle(deps, viewer, namespace, planBundle(request.policies, found.map(toStanding), null));
  return 'problems' in bundle ? bundle : { kind: 'tested', trials: await tryBundle(deps, bundle) };
}
