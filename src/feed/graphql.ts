import type { AgentAuditEventResolvers, ResolversTypes, SubscriptionResolvers } from '../generated/graphql.js';
import { presentEvent } from '../audit/index.js';
import type { FeedItem, FeedStart } from './feed.js';

export interface FeedContext {
  /** Opens the viewer's feed. */
  readonly openFeed: (start: FeedStart) => AsyncIterableIterator<FeedItem>;
  /** The cursor behind the event at `position` of the viewer's organization. */
  readonly cursorBehind: (position: number) => string;
}

type PresentedItem = Awaited<ResolversTypes['AgentAuditFeedItem']>;

export const Subscription: SubscriptionResolvers<FeedContext> = {
  agentAuditEventAppended: {
    subscribe: (_root, { after, from }, { openFeed }) => openFeed(after == null ? (from ?? 'NOW') : { after }),
    resolve: (item: FeedItem): PresentedItem =>
      item.kind === 'heartbeat'
        ? { __typename: 'AgentAuditFeedHeartbeat', cursor: item.cursor, nextPosition: item.nextPosition, isBeginning: item.isBeginning }
        : { __typename: 'AgentAuditEventAppended', cursor: item.cursor, event: presentEvent(item.stored) },
  },
};

export const AgentAuditEvent: Pick<AgentAuditEventResolvers<FeedContext>, 'feedCursor'> = {
  feedCursor: ({ position }, _args, { cursorBehind }) => (position == null ? null : cursorBehind(Number(position))),
};
