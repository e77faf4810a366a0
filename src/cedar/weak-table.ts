/** Objects by key, each kept only as long as somebody else holds it. */
export interface WeakTable<Item extends object> {
  get(key: string): Item | undefined;
  set(key: string, item: Item): void;
}

export function weakTable<Item extends object>(): WeakTable<Item> {
  const items = new Map<string, WeakRef<Item>>();
  const emptied = new FinalizationRegistry<string>((key) => {
    // Another may have taken the place since.
    if (items.get(key)?.deref() === undefined) items.delete(key);
  });
  return {
    get: (key) => items.get(key)?.deref(),
    set(key, item) {
      items.set(key, new WeakRef(item));
      emptied.register(item, key);
    },
  };
}
