import type { Client } from './subgraph.js';

/** Stands in place of a cursor: the feed begins with the first event of the log. */
export const fromTheBeginning = Symbol('from the beginning');
type Start = string | typeof fromTheBeginning | null;

export interface FedEvent {
  readonly cursor: string;
  readonly position: number;
  readonly id: string;
  readonly sourceId: string;
}
export type FeedItem =
  | { readonly kind: 'event'; readonly event: FedEvent }
  | { readonly kind: 'heartbeat'; readonly cursor: string; readonly nextPosition: number };

const FEED = `subscription ($after: String, $from: AgentFeedStart) { item: agentAuditEventAppended(after: $after, from: $from) { __typename
  ... on AgentAuditEventAppended { cursor event { id position sourceId } }
  ... on AgentAuditFeedHeartbeat { cursor nextPosition } } }`;

interface FeedResult {
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
  readonly data?: {
    readonly item: {
      readonly __typename: string;
      readonly cursor: string;
      readonly nextPosition?: number;
      readonly event?: { readonly id: string; readonly position: number; readonly sourceId: string };
    };
  };
}

/** The live feed, item by item. Leaving the loop ends the subscription. */
export async function* auditFeed(client: Client, start: Start = null): AsyncGenerator<FeedItem, void> {
  try {
    for await (const raw of client.subscribe(FEED, start === fromTheBeginning ? { from: 'BEGINNING' } : { after: start })) {
      const { data, errors } = raw as FeedResult;
      if (data === undefined || errors !== undefined) throw new Error(`The feed failed: ${JSON.stringify(errors)}`);
      const { __typename: _, cursor, nextPosition, event } = data.item;
      yield event === undefined
        ? { kind: 'heartbeat', cursor, nextPosition: nextPosition ?? -1 }
        : { kind: 'event', event: { cursor, ...event } };
    }
  } catch (refusal) {
    // graphql-ws throws what the service answered, an array of errors, as it is.
    throw Array.isArray(refusal) ? new Error(`The feed was refused: ${JSON.stringify(refusal)}`) : refusal;
  }
}

/** The next `count` events of the feed; heartbeats are passed over. */
export async function nextEvents(
  feed: AsyncIterable<FeedItem> | AsyncGenerator<FeedItem, void>,
  count: number,
): Promise<readonly FedEvent[]> {
  const events: FedEvent[] = [];
  if (count === 0) return events;
  const iterator = feed[Symbol.asyncIterator]();
  while (events.length < count) {
    const next = await iterator.next();
    if (next.done === true) throw new Error(`The feed ended after ${events.length} of ${count} events.`);
    if (next.value.kind === 'event') events.push(next.value.event);
  }
  return events;
}

/** The first `count` events behind a cursor. */
export async function eventsBehind(client: Client, after: Start, count: number): Promise<readonly FedEvent[]> {
  const feed = auditFeed(client, after);
  const events = await nextEvents(feed, count);
  await feed.return();
  return events;
}

/**
 * A feed that is known to run: whatever is recorded from now on is behind its beginning.
 */
export async function aRunningFeed(client: Client): Promise<AsyncGenerator<FeedItem, void>> {
  const feed = auditFeed(client);
  const first = await feed.next();
  if (first.done === true || first.value.kind !== 'heartbeat') throw new Error('Something came before anything was recorded.');
  return feed;
}
