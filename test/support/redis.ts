import { Redis } from 'ioredis';
import { databaseCount } from './redis-server.js';
import { shared } from './shared.js';

/**
 * The URL of an empty database, this caller's own, on the Redis that the test run shares.
 *
 * Keys are apart; channels are not, since Redis publishes across databases: a test that counts messages, or that
 * stops Redis, starts its own with `startRedis` of `redis-server.ts`.
 */
export async function aRedisUrl(): Promise<string> {
  const server = shared('TEST_REDIS_URL');
  const client = new Redis(server);
  try {
    // Database 0 only holds the count of those given out; the rest are given out in turn.
    const number = 1 + ((await client.incr('databases-given-out')) % (databaseCount - 1));
    await client.select(number);
    await client.flushdb();
    return `${server}/${String(number)}`;
  } finally {
    await client.quit();
  }
}
