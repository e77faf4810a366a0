import type { Product } from './product.js';

/** A customer: one organization with everybody in it. */
export interface Company {
  readonly id: string;
  readonly groups: readonly string[];
  /** 50, ten in each group. */
  readonly projects: readonly string[];
  /** Of the project at the same place, ten each. */
  readonly agentsOf: readonly (readonly string[])[];
  readonly users: readonly string[];
  /** The one who may read everything. */
  readonly auditor: string;
  /** The service account that reports what agents do. */
  readonly reporter: string;
}

const numbers = (count: number): readonly number[] => [...Array(count).keys()];

/** Ids are of the form that the platform gives them. */
export const theCompany: Company = {
  id: 'gid://platform/Organization/1',
  groups: numbers(5).map((group) => `gid://platform/Group/${100 + group}`),
  projects: numbers(50).map((project) => `gid://platform/Project/${1_000 + project}`),
  agentsOf: numbers(50).map((project) => numbers(10).map((agent) => `gid://platform/Ai::Catalog::Agent/${20_000 + project * 10 + agent}`)),
  users: numbers(200).map((user) => `gid://platform/User/${5_000 + user}`),
  auditor: 'gid://platform/User/1',
  reporter: 'gid://platform/User/2',
};

/** Names that tools of an agent service have, the ones used most first. */
export const TOOLS: readonly string[] = (
  'read_file grep run_command edit_file list_dir get_issue find_files create_file_with_contents run_git_command get_merge_request ' +
  'get_job_logs read_files get_repository_file list_issues create_merge_request_note get_pipeline_errors create_issue_note list_commits ' +
  'get_commit_diff update_issue create_commit run_tests mkdir gitlab_issue_search create_merge_request get_epic list_vulnerabilities ' +
  'get_work_item ci_linter update_merge_request get_wiki_page create_branch gitlab_blob_search get_project dismiss_vulnerability ' +
  'create_work_item gitlab_documentation_search confirm_vulnerability list_epics create_epic'
).split(' ');

/** Tells the service of the company, as the platform would. */
export async function pushCompany(product: Product, company: Company): Promise<void> {
  const token = await product.token({ userId: company.reporter, organizationId: company.id, scopes: ['directory:write'] });
  const namespaces = [
    { id: company.id, kind: 'ORGANIZATION', parentId: null, path: 'company' },
    ...company.groups.map((id, group) => ({ id, kind: 'GROUP', parentId: company.id, path: `group-${group}` })),
    ...company.projects.map((id, project) => ({
      id,
      kind: 'PROJECT',
      parentId: company.groups[project % company.groups.length],
      path: `project-${project}`,
    })),
  ];
  const memberships = [
    { namespaceId: company.id, userId: company.auditor, role: 'AUDITOR' },
    ...company.users.map((userId, user) => ({ namespaceId: company.projects[user % company.projects.length], userId, role: 'DEVELOPER' })),
  ];
  const agents = company.agentsOf.flat().map((id, agent) => ({ id, name: `agent ${agent}`, classes: ['coding'], trust: 60 }));
  const response = await fetch(`${product.url}/v1/directory`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ namespaces, memberships, agents }),
  });
  const answer = await response.text();
  if (!response.ok || !answer.includes('"errors":[]')) throw new Error(`The directory refused the company: ${answer.slice(0, 500)}`);
}
