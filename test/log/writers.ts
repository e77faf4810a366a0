import { postgresAuditLog } from '../../src/audit/postgres.js';
import type { OrganizationId } from '../../src/kernel/index.js';
import type { Database } from '../../src/platform/postgres.js';
import { someAppends } from '../audit/events.js';
import type { Random } from '../support/random.js';

export interface Writing {
  readonly random: Random;
  readonly organizations: readonly OrganizationId[];
  readonly writers: number;
  /** How many transactions each writer makes. */
  readonly transactions: number;
  /** Called after each commit. */
  readonly committed: () => void;
}

/**
 * Writers that insert at once and commit in random order: transactions are held open while later ones commit, and one in ten
 * is rolled back. Resolves to the ids of the events that were committed, by organization.
 */
export async function writeAtOnce(
  database: Database,
  { random, organizations, writers, transactions, committed }: Writing,
): Promise<ReadonlyMap<OrganizationId, readonly string[]>> {
  const done = new Map<OrganizationId, string[]>(organizations.map((organization) => [organization, []]));
  const held: (() => void)[] = [];
  let active = writers;
  /** Waits until it is this transaction's turn to end: most are open at any time, and which one goes next is chance. */
  const turn = (): Promise<void> =>
    new Promise((resolve) => {
      held.push(resolve);
      letGo();
    });
  const letGo = (): void => {
    while (held.length > Math.max(0, Math.min(active - 1, writers / 2))) held.splice(random.below(held.length), 1)[0]?.();
  };

  const write = async (writer: number): Promise<void> => {
    const session = await database.session();
    const log = postgresAuditLog(
      () => ({
        query: async <Row>(text: string, values: readonly unknown[] = []) => (await session.query(text, [...values])).rows as Row[],
      }),
      new Set(),
    );
    for (let transaction = 0; transaction < transactions; transaction += 1) {
      const organization = random.pick(organizations);
      await session.query('BEGIN');
      await session.query("SELECT set_config('governance.organization_id', $1, true)", [organization]);
      const receipts = await log.append(organization, someAppends(1 + random.below(5), `w${writer}-${transaction}`, organization));
      await turn();
      const isKept = random.below(10) > 0;
      await session.query(isKept ? 'COMMIT' : 'ROLLBACK');
      if (isKept) done.get(organization)?.push(...receipts.map(({ stored }) => stored.event.id));
      committed();
    }
    session.release();
    active -= 1;
    letGo();
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return done;
}
