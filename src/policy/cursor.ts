import type { Policy } from './policy.js';

/** The key of a policy in a list by name. */
export const keyOf = (policy: Policy): string => JSON.stringify([policy.name, policy.id]);

/** Whether `key` is one that `keyOf` makes. */
export function isKey(key: string): boolean {
  try {
    const parts: unknown = JSON.parse(key);
    return Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === 'string');
  } catch {
    return false;
  }
}

/** Name and id in a key; null for none. */
export function cursorKey(after: string | null): readonly string[] | null {
  if (after === null) return null;
  const parts: readonly string[] = JSON.parse(after);
  return parts;
}
