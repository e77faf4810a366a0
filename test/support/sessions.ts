import { setTimeout as sleep } from 'node:timers/promises';
import { recorded, type RecordAnswer } from './recording.js';
import type { CloudEvent } from './cloud-events.js';
import type { Client } from './subgraph.js';

/** What posting a batch of a session answered. */
export interface BatchAnswer extends RecordAnswer {
  readonly report?: Readonly<Record<string, unknown>>;
}

/** Posts a batch in the shape that the agent service sends. */
export async function postSessionBatch(client: Client, sessionId: string, body: unknown): Promise<BatchAnswer> {
  const response = await client.request(`/v1/sessions/${encodeURIComponent(sessionId)}/audit-events`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  return { status: response.status, ...((await response.json()) as Omit<BatchAnswer, 'status'>) };
}

/** Waits until this event, which the client may see, has a position. */
export async function untilPositioned(client: Client, eventId: string): Promise<void> {
  for (;;) {
    const { data, errors } = await client.graphql<{ event: { position: number | null } | null }>(
      'query ($id: ID!) { event: agentAuditEvent(id: $id) { position } }',
      { id: eventId },
    );
    if (data?.event == null) throw new Error(`The event is not to be seen: ${JSON.stringify(errors)}`);
    if (data.event.position !== null) return;
    await sleep(5);
  }
}

/** Records events and waits until the last of them has a position; their ids. */
export async function recordedInOrder(client: Client, reader: Client, events: readonly CloudEvent[]): Promise<readonly string[]> {
  const ids = await recorded(client, events);
  await untilPositioned(reader, ids.at(-1) ?? '');
  return ids;
}

/** Every field of a session but the lists. */
export const SESSION = `id workflowType status startedAt endedAt lastEventAt surface executionMode parentSessionId eventCount strayEvents
  agent { id } user { id } human { id } project { id } verdictCounts { allowed asked denied } outcomeCounts { succeeded failed }`;

export const COMPLETENESS = `completeness { state sources { source state received withoutSequence firstSequence lastSequence
  missing { from to } missingEvents isTruncated totalEventsSent isFinal unexpected } }`;

/** A session, as the client is shown it; null when it is not. */
export async function sessionOf(client: Client, id: string, fields = `${SESSION} ${COMPLETENESS}`): Promise<SessionAnswer | null> {
  const { data, errors } = await client.graphql<{ session: SessionAnswer | null }>(
    `query ($id: ID!) { session: agentSession(id: $id) { ${fields} } }`,
    {
      id,
    },
  );
  if (errors !== undefined) throw new Error(`The session could not be read: ${JSON.stringify(errors)}`);
  return data?.session ?? null;
}

export interface SessionAnswer extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly completeness: {
    readonly state: string;
    readonly sources: readonly (Readonly<Record<string, unknown>> & {
      readonly source: string;
      readonly missing: readonly { readonly from: number; readonly to: number }[];
    })[];
  };
}
