export { feedCursor } from './cursor.js';
export { openFeed, type Feeding, type FeedItem, type FeedStart } from './feed.js';
export { sharedScopes } from './shared-scope.js';
