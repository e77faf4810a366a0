import { z } from 'zod';
import { startLoad, type Load } from '../ingest/load.js';
import { putInForce } from '../policy/setting.js';
import { startCluster, type Cluster } from '../support/cluster.js';
import { pushCompany, theCompany } from '../support/company.js';
import { startIdentity, startProduct, type Product } from '../support/product.js';
import { seededRandom } from '../support/random.js';
import type { Stage } from '../support/stage.js';
import { startCerbos, type Cerbos } from './cerbos.js';
import { aQuestion, rulesOf, theAgents, type Question, type Rule } from './rules.js';

const QUESTIONS = 500;
const OWNER = theCompany.users[0] ?? '';

/** A service that decides, with the token of somebody who may ask. */
export interface Subject {
  readonly product: Product;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything that a part of the benchmark works with: the same rules in each server, and the same questions for all. */
export interface Setting {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly questions: readonly Question[];
  /** The service as it is. */
  readonly recorded: Subject;
  /** The service with a log that stores nothing. */
  readonly unrecorded: Subject;
  readonly cerbos: Cerbos;
}

export async function makeSetting(stage: Stage, policies: number): Promise<Setting> {
  const random = seededRandom(11);
  const rules = rulesOf(random, policies);
  const questions = Array.from({ length: QUESTIONS }, () => aQuestion(random));
  const [cluster, identity] = await Promise.all([startCluster(stage, 'on'), startIdentity(stage)]);
  const subject = async (name: string, entry?: string): Promise<Subject> => {
    const databaseUrl = await cluster.database(name);
    const product = await startProduct(stage, identity, { name, databaseUrl, ...(entry !== undefined && { entry }) });
    return { product, headers: await governed(product, rules) };
  };
  const recorded = await subject('recorded');
  const unrecorded = await subject('unrecorded', 'bench/decisions/unrecorded.mjs');
  return { cluster, load: startLoad(stage), questions, recorded, unrecorded, cerbos: await startCerbos(stage, rules) };
}

/** Tells a service of the company and its rules; the headers of somebody who may ask. */
async function governed(product: Product, rules: readonly Rule[]): Promise<Readonly<Record<string, string>>> {
  await pushCompany(product, theCompany);
  const platform = await product.token({ userId: theCompany.reporter, organizationId: theCompany.id, scopes: ['directory:write'] });
  const response = await fetch(`${product.url}/v1/directory`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${platform}`, 'content-type': 'application/json' },
    body: JSON.stringify({ agents: theAgents, memberships: [{ namespaceId: theCompany.id, userId: OWNER, role: 'OWNER' }] }),
  });
  z.object({ errors: z.array(z.unknown()).length(0) }).parse(await response.json());
  await putInForce(
    product.databaseUrl,
    rules.map(({ cedar }) => cedar),
  );
  const token = await product.token({ userId: OWNER, organizationId: theCompany.id, scopes: ['decision:request'] });
  return { authorization: `Bearer ${token}` };
}
