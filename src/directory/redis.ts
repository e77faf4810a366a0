import { organizationId } from '../kernel/index.js';
import type { Signals } from '../platform/redis.js';
import type { EpochHints } from './ports.js';

/** Hints that an organization's epoch has moved, over Redis or, without it, inside this process. */
export const epochHints = (signals: Signals): EpochHints => ({
  announce: (organization) => signals.publish('epoch', organization),
  onMove: (listener) => signals.subscribe('epoch', (message) => listener(organizationId(message))),
});
