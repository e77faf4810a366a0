import { describe, expect, it } from '@jest/globals';
import { redactorBy, type Append, type AuditLog } from '../../src/audit/index.js';
import { recordRefusals, type Refusal } from '../../src/decisions/index.js';
import { isJsonObject, organizationId, userId } from '../../src/kernel/index.js';

const acme = organizationId('acme');
const viewer = { userId: userId('ada'), organizationId: acme, agentId: null, scopes: new Set<string>(), expiresAt: new Date(0) };
const refusal: Refusal = { reason: 'SCOPE_MISSING', route: 'GRAPHQL', fields: [], agentId: null };

/** Refusals into a log that fails as long as it is said to. */
function recording() {
  const state = { isBroken: true, noticed: 0 };
  const stored: Append[] = [];
  const log: AuditLog = {
    async append(_organizationId, appends) {
      if (state.isBroken) throw new Error('disk full');
      stored.push(...appends);
      return [];
    },
  };
  const refusals = recordRefusals({
    log,
    places: { places: async () => new Map() },
    humans: { owners: async () => new Map(), named: async () => [] },
    redactor: redactorBy(() => []),
    clock: () => new Date(0),
    notice: () => void (state.noticed += 1),
  });
  return { state, refusals, leftOut: () => stored.map(({ sealed: { event } }) => isJsonObject(event.data) && event.data['leftOut']) };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a refusal that cannot be stored', () => {
  it('fails nobody, is told to the log of the service, and is counted by the next', async () => {
    const { state, refusals, leftOut } = recording();

    refusals.record(viewer, refusal);
    refusals.record(viewer, refusal);
    await settled();
    state.isBroken = false;
    refusals.record(viewer, refusal);
    refusals.record(viewer, refusal);
    await settled();

    expect([state.noticed, leftOut()]).toEqual([2, [2, 0]]);
  });
});
