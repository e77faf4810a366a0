import { pushCompany, theCompany } from '../support/company.js';
import { startProduct, type Identity } from '../support/product.js';
import type { Stage } from '../support/stage.js';
import { askAuditor, type Asker } from './ask.js';
import { fill } from './fill.js';
import { chooseTargets, type Targets } from './targets.js';

/** A service whose log holds a number of events. */
export interface Log {
  readonly events: number;
  readonly targets: Targets;
  readonly asker: Asker;
}

export async function makeLog(
  stage: Stage,
  identity: Identity,
  plan: { readonly name: string; readonly databaseUrl: string },
  events: number,
): Promise<Log> {
  const product = await startProduct(stage, identity, plan);
  await pushCompany(product, theCompany);
  const targets = chooseTargets(events);
  await fill(plan.databaseUrl, events, targets);
  const asker = await askAuditor(product);
  stage.atEnd(async () => asker.close());
  return { events, targets, asker };
}
