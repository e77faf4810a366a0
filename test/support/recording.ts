import type { CloudEvent } from './cloud-events.js';
import type { Client } from './subgraph.js';

/** What `POST /v1/audit-events` answered. */
export interface RecordAnswer {
  readonly status: number;
  readonly stored?: number;
  readonly duplicates?: number;
  readonly rejected?: number;
  readonly unknownTypes?: number;
  readonly results?: readonly Readonly<Record<string, unknown>>[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** Posts a body as it is. */
export async function postBody(client: Client, contentType: string | null, body: string | Uint8Array): Promise<RecordAnswer> {
  const response = await client.request('/v1/audit-events', {
    method: 'POST',
    body: typeof body === 'string' ? Buffer.from(body) : Buffer.from(body),
    headers: contentType === null ? {} : { 'content-type': contentType },
  });
  return { status: response.status, ...((await response.json()) as Omit<RecordAnswer, 'status'>) };
}

/** Posts events in batch mode. */
export const postBatch = (client: Client, events: readonly unknown[]): Promise<RecordAnswer> =>
  postBody(client, 'application/cloudevents-batch+json', JSON.stringify(events));

/** Records events of which none may be refused or known; their ids. */
export async function recorded(client: Client, events: readonly CloudEvent[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let start = 0; start < events.length; start += 500) {
    const answer = await postBatch(client, events.slice(start, start + 500));
    if (answer.stored !== Math.min(500, events.length - start))
      throw new Error(`Not everything was stored: ${JSON.stringify(answer).slice(0, 2_000)}`);
    ids.push(...(answer.results ?? []).map((result) => String(result['eventId'])));
  }
  return ids;
}
