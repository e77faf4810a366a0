/**
 * A process that runs retention over the database in its first argument and the organization in its second, says `step` before each
 * step, and can be killed at any.
 *
 * Started by the test of retention that is killed in the middle.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { postgresRetentionSeats } from '../../src/audit/postgres/retention-sweeping.js';
import { runCycle } from '../../src/audit/retention/cycle.js';
import { organizationId as toOrganizationId } from '../../src/kernel/index.js';
import { openDatabase } from '../../src/platform/postgres.js';
import { retentionOn } from './retention.js';

const [url = '', organization = ''] = process.argv.slice(2);
const database = openDatabase(url, 4);
const seat = await postgresRetentionSeats(database).takeIfDue(0, 'to be killed');
if (seat === null) throw new Error('Another process has the seat.');
const fail = (message: string, { error }: Readonly<Record<string, unknown>>): never => {
  throw new Error(message, { cause: error });
};
await runCycle(
  { ...retentionOn(database, { maxExamined: 10 }), alarm: fail, warn: fail, isStopping: () => false },
  {
    ...seat,
    organizations: async () => [toOrganizationId(organization)],
    // Row by row, so that there is a middle.
    dropMonth: async () => 'KEPT',
    async sweep(organizationId, request) {
      process.stdout.write('step\n');
      await delay(20);
      return seat.sweep(organizationId, request);
    },
  },
);
process.stdout.write('done\n');
await seat.leave();
await database.close();
