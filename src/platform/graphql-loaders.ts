import DataLoader from 'dataloader';
import type { PageRequest } from '../kernel/index.js';

/** One loader for each page that a request asks for: what differs in the id alone is read together. */
export function loadersByPage<Value>(
  batch: (page: PageRequest) => (ids: readonly string[]) => Promise<readonly Value[]>,
): (page: PageRequest) => DataLoader<string, Value> {
  const loaders = new Map<string, DataLoader<string, Value>>();
  return (page) => {
    const name = JSON.stringify(page);
    const loader = loaders.get(name) ?? new DataLoader<string, Value>(batch(page));
    loaders.set(name, loader);
    return loader;
  };
}
