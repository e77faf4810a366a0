import { Refusal } from '../refusal.js';
import type { Api } from './api.js';
import { agents, groups, organization, projects, users } from './organization.js';

interface PushAnswer {
  readonly errors: readonly { readonly collection: string; readonly index: number; readonly path: string; readonly message: string }[];
}

/** Tells governance what the platform knows: namespaces, memberships, agents, service accounts. Telling it again changes nothing. */
export async function pushDirectory(api: Api): Promise<void> {
  const { errors } = await api.put<PushAnswer>('/v1/directory', demoDirectory());
  const [first] = errors;
  if (first === undefined) return;
  const place = `${first.collection}[${String(first.index)}]${first.path === '' ? '' : `.${first.path}`}`;
  throw new Refusal(`The demo directory was refused (${String(errors.length)} rows, the first is ${place}): ${first.message}`);
}

function demoDirectory() {
  return {
    namespaces: [
      { id: organization.id, kind: 'ORGANIZATION', parentId: null, path: organization.path, name: organization.name },
      ...groups.map(({ id, name, fullPath, parentId }) => ({
        id,
        kind: 'GROUP',
        parentId: parentId ?? organization.id,
        path: lastPart(fullPath),
        name,
      })),
      ...projects.map(({ id, name, fullPath, groupId }) => ({ id, kind: 'PROJECT', parentId: groupId, path: lastPart(fullPath), name })),
    ],
    memberships: users.map(({ id, membership }) => ({ userId: id, ...membership })),
    agents: agents.map(({ id, name, classes, trust, ownerId, autonomous }) => ({ id, name, classes, trust, ownerId, autonomous })),
    serviceAccounts: users.filter(({ bot }) => bot).map(({ id, ownerId }) => ({ userId: id, ownerId })),
  };
}

function lastPart(fullPath: string): string {
  return fullPath.slice(fullPath.lastIndexOf('/') + 1);
}
