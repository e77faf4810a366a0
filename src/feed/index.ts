export { openFeed, type Feeding, type FeedItem } from './feed.js';
export { sharedScopes } from './shared-scope.js';
