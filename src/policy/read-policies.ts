import { memberNamespaces, readableNamespaces, type Directory } from '../directory/index.js';
import { pageOf, type Page, type PageRequest, type Viewer } from '../kernel/index.js';
import type { Policy } from './policy.js';
import type { PolicyReader } from './ports.js';

export interface PolicyReading {
  readonly directory: Directory;
  readonly policies: PolicyReader;
}

/** A page of the policies attached to a namespace, by name; null when the viewer may not read them. */
export async function listPolicies(
  deps: PolicyReading,
  viewer: Viewer,
  namespaceId: string,
  page: PageRequest,
): Promise<Page<Policy> | null> {
  const readable = await readableNamespaces(deps.directory, viewer, [namespaceId]);
  if (!readable.has(namespaceId)) return null;
  return pageOf(await deps.policies.listAttached(viewer.organizationId, namespaceId, page), page);
}

/** The policies in force in each of many projects; null for one that does not exist for the viewer. */
export async function listPoliciesInForce(
  deps: PolicyReading,
  viewer: Viewer,
  projectIds: readonly string[],
  page: PageRequest,
): Promise<readonly (Page<Policy> | null)[]> {
  const memberOf = await memberNamespaces(deps.directory, viewer);
  const lists = await deps.policies.listInForce(viewer.organizationId, memberOf, projectIds, page);
  return lists.map((rows) => (rows === null ? null : pageOf(rows, page)));
}

/** The policies with these ids, in their order; null for one that does not exist for the viewer. */
export async function policiesById(deps: PolicyReading, viewer: Viewer, ids: readonly string[]): Promise<readonly (Policy | null)[]> {
  const found = await deps.policies.byIds(viewer.organizationId, ids);
  const readable = await readableNamespaces(
    deps.directory,
    viewer,
    found.map((policy) => policy.namespaceId),
  );
  const byId = new Map(found.filter((policy) => readable.has(policy.namespaceId)).map((policy) => [policy.id, policy]));
  return ids.map((id) => byId.get(id) ?? null);
}
