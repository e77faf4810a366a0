/** The key of an item in a list, of what it is ordered by. */
export const keyOf = (...parts: readonly string[]): string => JSON.stringify(parts);

/** Whether `key` is one that `keyOf` makes of so many parts, each with `isFit`. */
export const isKeyOf =
  (count: number, isFit: (parts: readonly string[]) => boolean = () => true) =>
  (key: string): boolean => {
    try {
      const parts: unknown = JSON.parse(key);
      return Array.isArray(parts) && parts.length === count && parts.every((part) => typeof part === 'string') && isFit(parts);
    } catch {
      return false;
    }
  };

/** The parts of a key; null for none. */
export function cursorKey(after: string | null): readonly string[] | null {
  if (after === null) return null;
  const parts: readonly string[] = JSON.parse(after);
  return parts;
}
