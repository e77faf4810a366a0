import { organizationId } from '../kernel/index.js';
import type { Signals } from '../platform/redis.js';
import type { LogHints } from './ports.js';

/** Hints about the log, over Redis or, without it, inside this process. */
export const logHints = (signals: Signals): LogHints => ({
  announceStored: () => signals.publish('stored', ''),
  onStored: (listener) => signals.subscribe('stored', listener),
  announceGrowth: (organization, size) => signals.publish('growth', `${size} ${organization}`),
  onGrowth: (listener) =>
    signals.subscribe('growth', (message) => {
      const space = message.indexOf(' ');
      listener(organizationId(message.slice(space + 1)), Number(message.slice(0, space)));
    }),
});
