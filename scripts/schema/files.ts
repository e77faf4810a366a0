import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const paths = {
  root: fileURLToPath(new URL('../../', import.meta.url)),
  schema: fileURLToPath(new URL('../../schema.graphql', import.meta.url)),
  released: fileURLToPath(new URL('../../docs/schema/released.graphql', import.meta.url)),
  supergraph: fileURLToPath(new URL('../../supergraph.yaml', import.meta.url)),
};

export function currentSchema(): string {
  return readFileSync(paths.schema, 'utf8');
}

/** The schema that callers rely on; undefined before the first release. */
export function releasedSchema(): string | undefined {
  return existsSync(paths.released) ? readFileSync(paths.released, 'utf8') : undefined;
}

/** The texts of all architecture decision records. */
export function decisionRecords(): readonly string[] {
  const folder = new URL('../../docs/adr/', import.meta.url);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .map((file) => readFileSync(new URL(file, folder), 'utf8'));
}
