/**
 * Lets whatever waits go first: decisions are made in this process, and what takes long must not keep them waiting. To be awaited between
 * pieces of work of a few milliseconds each.
 */
export const othersFirst = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
