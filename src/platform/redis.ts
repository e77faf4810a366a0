import { Redis } from 'ioredis';
import { localSignals, type Signals } from './signals.js';

export type { Signals } from './signals.js';

const PREFIX = 'agent-governance:';

/**
 * Signals between all processes that share a Redis.
 *
 * A message reaches this process's own listeners at once and without Redis, so a process never waits for itself. While Redis
 * is away, messages to other processes are lost: they find out by their own checks.
 *
 * @param report called once whenever Redis goes away or comes back
 */
export function redisSignals(url: string, report: (message: string) => void): Signals {
  const local = localSignals();
  const origin = crypto.randomUUID();
  const options = {
    lazyConnect: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (tries: number) => Math.min(tries * 50, 1_000),
  };
  const publisher = new Redis(url, options);
  const subscriber = new Redis(url, { ...options, enableOfflineQueue: true, maxRetriesPerRequest: null });
  reportChanges(publisher, report);
  subscriber.on('error', () => undefined);
  subscriber.on('pmessage', (_pattern: string, channel: string, text: string) => {
    const [from, message] = splitOnce(text);
    if (from !== origin) local.publish(channel.slice(PREFIX.length), message);
  });
  void subscriber.psubscribe(`${PREFIX}*`).catch(() => undefined);

  return {
    publish(channel, message) {
      local.publish(channel, message);
      if (publisher.status === 'ready') publisher.publish(PREFIX + channel, `${origin} ${message}`).catch(() => undefined);
    },
    subscribe: local.subscribe,
    async close() {
      publisher.disconnect();
      subscriber.disconnect();
      await local.close();
    },
  };
}

function splitOnce(text: string): readonly [string, string] {
  const space = text.indexOf(' ');
  return [text.slice(0, space), text.slice(space + 1)];
}

function reportChanges(redis: Redis, report: (message: string) => void): void {
  let isAway = false;
  redis.on('error', (error: Error) => {
    if (!isAway) report(`Redis is away: ${error.message}. Changes reach other processes within half a second instead of at once.`);
    isAway = true;
  });
  redis.on('ready', () => {
    if (isAway) report('Redis is back.');
    isAway = false;
  });
}
