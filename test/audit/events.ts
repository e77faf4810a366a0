import { randomUUID } from 'node:crypto';
import type { Append, Humans } from '../../src/audit/index.js';
import { eventOf, type AuditEvent, type NewEvent } from '../../src/audit/event.js';
import { seal } from '../../src/audit/seal.js';
import { organizationId } from '../../src/kernel/index.js';

export const acme = organizationId('acme');

/** A tool call of now, by nobody in particular, unless `change` says otherwise. */
export function anEvent(change: Partial<NewEvent> = {}, organization = acme): AuditEvent {
  const occurredAt = new Date().toISOString();
  return eventOf(organization, new Date(occurredAt), {
    type: 'ai_tool_invoked',
    source: '/tests',
    sourceId: randomUUID(),
    occurredAt,
    projectId: null,
    userId: null,
    agentId: null,
    sessionId: null,
    callId: null,
    tool: 'read_file',
    verdict: null,
    outcome: null,
    data: { tool_name: 'read_file' },
    ...change,
  });
}

/** Nobody is a service account. */
export const humansAlone: Humans = { owners: async () => new Map(), named: async () => [] };

/** An event ready to be stored. */
export const anAppend = (change: Partial<NewEvent> = {}, organization = acme, key: Buffer | null = null): Append => ({
  sealed: seal(anEvent(change, organization)),
  key,
});

/** `count` events, whose source ids begin with `name`. */
export const someAppends = (count: number, name: string, organization = acme, more: Partial<AuditEvent> = {}): readonly Append[] =>
  Array.from({ length: count }, (_, index) => anAppend({ sourceId: `${name}-${index}`, ...more }, organization));
