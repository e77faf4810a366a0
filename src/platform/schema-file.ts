import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The text of schema.graphql, which lies above this file, in src/ as in dist/src/. */
export function readSchema(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'schema.graphql');
    if (existsSync(candidate)) return readFileSync(candidate, 'utf8');
  }
  throw new Error('The file schema.graphql is missing beside the program.');
}
