import { SCOPES } from '../../src/kernel/index.js';
import { startCluster, type Cluster } from '../support/cluster.js';
import { pushCompany, theCompany } from '../support/company.js';
import { startIdentity, startProduct, type Product } from '../support/product.js';
import type { Stage } from '../support/stage.js';
import { startLoad, type Load } from './load.js';

/** One service with its database, and who reports to it. */
export interface Subject {
  readonly product: Product;
  /** Of the service account that reports. */
  readonly token: string;
  /** Sets numbers aside for events that nobody has sent to it yet; the first of them. */
  take(events: number): number;
  /** How many have been set aside so far. */
  taken(): number;
}

/** Everything that a part of the benchmark works with. */
export interface Setting {
  readonly cluster: Cluster;
  readonly load: Load;
  /** The service as it is by default. */
  readonly sequenced: Subject;
  /** The same without a sequencer, on a database of its own in the same Postgres. */
  readonly unsequenced: Subject;
}

export async function makeSetting(stage: Stage): Promise<Setting> {
  const [cluster, identity] = await Promise.all([startCluster(stage, 'on'), startIdentity(stage)]);
  const subject = async (name: string, environment: Readonly<Record<string, string>>): Promise<Subject> => {
    const databaseUrl = await cluster.database(name);
    const product = await startProduct(stage, identity, { name, databaseUrl, environment });
    await pushCompany(product, theCompany);
    const token = await product.token({ userId: theCompany.reporter, organizationId: theCompany.id, scopes: SCOPES });
    let taken = 0;
    return { product, token, taken: () => taken, take: (events) => (taken += events) - events };
  };
  const [sequenced, unsequenced] = await Promise.all([subject('sequenced', {}), subject('unsequenced', { SEQUENCER: 'off' })]);
  return { cluster, load: startLoad(stage), sequenced, unsequenced };
}
