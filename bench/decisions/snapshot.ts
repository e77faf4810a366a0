import { z } from 'zod';
import { measureChanges } from '../policy/changes.js';
import { anAdministrator, putInForce } from '../policy/setting.js';
import { aPolicyText, BASE } from '../policy/texts.js';
import { startCluster } from '../support/cluster.js';
import { theCompany } from '../support/company.js';
import { median, percentile, type Report } from '../support/figures.js';
import { rssMebibytes } from '../support/processes.js';
import { startIdentity, startProduct, type Product } from '../support/product.js';
import { showProgress } from '../support/progress.js';
import { seededRandom } from '../support/random.js';
import type { Stage } from '../support/stage.js';
import { theAgents } from './rules.js';

export interface Size {
  readonly projects: number;
  readonly policies: number;
  /** In how many of the projects something is asked. */
  readonly asked: number;
  readonly rounds: number;
}

/** What one push of the directory may hold, with room to spare. */
const PUSH_ROWS = 40_000;
const GROUPS = 1_000;
const CLIENTS = 16;

const groupId = (group: number): string => `gid://platform/Group/${100_000 + group}`;
const projectId = (project: number): string => `gid://platform/Project/${1_000_000 + project}`;

/** What a process takes to decide in a large organization: until its first decision, after a change, and in memory. */
export async function measureSnapshot(stage: Stage, size: Size): Promise<Omit<Report, 'name'>> {
  const [cluster, identity] = await Promise.all([startCluster(stage, 'off'), startIdentity(stage)]);
  const databaseUrl = await cluster.database('snapshot');
  const product = await startProduct(stage, identity, { name: 'snapshot', databaseUrl });
  await pushPlatform(product, size.projects);
  const administrator = await anAdministrator(product);
  const random = seededRandom(12);
  await putInForce(databaseUrl, [BASE, ...Array.from({ length: size.policies - 1 }, () => aPolicyText(random))]);

  const before = rssMebibytes(product.pid);
  const coldMilliseconds = await timed(() => administrator.decide('grep'));
  const withPolicies = rssMebibytes(product.pid);
  const { effect, publish } = await measureChanges(administrator, size.rounds);
  const times = await askEverywhere(product, size.asked);
  return {
    figures: {
      snapshot: {
        ...{ projects: size.projects, policies: size.policies, coldDecisionMilliseconds: coldMilliseconds },
        ...{ publishP50Milliseconds: median(publish), changeToEffectP50Milliseconds: median(effect) },
        changeToEffectP99Milliseconds: percentile(effect, 0.99),
        ...{ projectsAskedIn: size.asked, firstDecisionInAProjectP50Milliseconds: median(times) },
        ...{ startRssMebibytes: before, withPoliciesRssMebibytes: withPolicies, withProjectsRssMebibytes: rssMebibytes(product.pid) },
      },
    },
    reference: {},
    bars: [],
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Tells the service of an organization with its groups and projects, in pushes that it takes. */
async function pushPlatform(product: Product, projects: number): Promise<void> {
  const token = await product.token({ userId: theCompany.reporter, organizationId: theCompany.id, scopes: ['directory:write'] });
  const namespaces = [
    { id: theCompany.id, kind: 'ORGANIZATION', parentId: null, path: 'company' },
    ...Array.from({ length: GROUPS }, (_, group) => ({
      ...{ id: groupId(group), kind: 'GROUP', parentId: theCompany.id, path: `group-${group}` },
    })),
    ...Array.from({ length: projects }, (_, project) => ({
      ...{ id: projectId(project), kind: 'PROJECT', parentId: groupId(project % GROUPS), path: `project-${project}` },
    })),
    // Where the administrator asks.
    { id: theCompany.projects[0], kind: 'PROJECT', parentId: groupId(0), path: 'asked' },
  ];
  const progress = showProgress(`Pushing ${projects.toLocaleString('en')} projects`, namespaces.length, 'namespaces');
  for (let first = 0; first < namespaces.length; first += PUSH_ROWS) {
    const rows = namespaces.slice(first, first + PUSH_ROWS);
    const response = await fetch(`${product.url}/v1/directory`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ namespaces: rows, ...(first === 0 && { agents: theAgents }) }),
    });
    Pushed.parse(await response.json());
    progress.advance(rows.length);
  }
  progress.stop();
}

const Pushed = z.object({ errors: z.array(z.unknown()).length(0) });

/** One decision in each of many projects; the milliseconds of each. */
async function askEverywhere(product: Product, count: number): Promise<readonly number[]> {
  const token = await product.token({ userId: theCompany.users[0] ?? '', organizationId: theCompany.id, scopes: ['decision:request'] });
  const progress = showProgress('Asking in one project after the other', count, 'projects');
  const times: number[] = [];
  let next = 0;
  const ask = async (): Promise<void> => {
    while (next < count) {
      const project = projectId(next++);
      times.push(await timed(() => decide(product, token, project)));
      progress.advance(1);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, ask));
  progress.stop();
  return times;
}

async function decide(product: Product, token: string, project: string): Promise<void> {
  const response = await fetch(`${product.url}/access/v1/evaluation`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'agent', id: theAgents[0]?.id },
      action: { name: 'invokeTool' },
      resource: { type: 'tool', id: 'com.example.platform/grep', properties: { project } },
    }),
  });
  z.object({ decision: z.boolean(), context: z.object({ id: z.string() }) }).parse(await response.json());
}
