import type { ResolversTypes, SubscriptionResolvers } from '../generated/graphql.js';
import { presentEvent } from '../audit/index.js';
import type { FeedItem } from './feed.js';

export interface FeedContext {
  /** Opens the viewer's feed behind a cursor, or from now on. */
  readonly openFeed: (after: string | null) => AsyncIterableIterator<FeedItem>;
}

type PresentedItem = Awaited<ResolversTypes['AgentAuditFeedItem']>;

export const Subscription: SubscriptionResolvers<FeedContext> = {
  agentAuditEventAppended: {
    subscribe: (_root, { after }, { openFeed }) => openFeed(after ?? null),
    resolve: (item: FeedItem): PresentedItem =>
      item.kind === 'heartbeat'
        ? { __typename: 'AgentAuditFeedHeartbeat', cursor: item.cursor, position: item.position }
        : { __typename: 'AgentAuditEventAppended', cursor: item.cursor, event: presentEvent(item.stored) },
  },
};
