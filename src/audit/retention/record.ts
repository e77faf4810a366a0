import { randomUUID } from 'node:crypto';
import type { JsonObject, OrganizationId } from '../../kernel/index.js';
import { eventOf, OWN_SOURCE } from '../event.js';
import { whoDid, type Actor } from '../humans.js';
import type { Append } from '../ports.js';
import { seal } from '../seal.js';

interface Record {
  readonly type: string;
  /** What it concerns. */
  readonly namespaceId: string;
  /** Nobody: the schedule. */
  readonly by: Actor;
  readonly data: JsonObject;
  /** Makes the event the same when it is recorded again. */
  readonly sourceId?: string;
}

/** The audit event of something that was done about retention. */
export function retentionRecord(organizationId: OrganizationId, now: Date, { by, ...record }: Record): Append {
  const event = eventOf(organizationId, now, {
    sourceId: randomUUID(),
    ...record,
    ...whoDid(by),
    source: OWN_SOURCE,
    occurredAt: now.toISOString(),
    projectId: null,
    agentId: null,
    sessionId: null,
    callId: null,
    tool: null,
    verdict: null,
    outcome: null,
  });
  return { sealed: seal(event), key: null };
}
