export { openFeed, type Feeding, type FeedItem } from './feed.js';
