// `npm run release:schema`: makes today's schema.graphql the one that later changes are held against.
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { forbiddenBreaks, permission } from './schema/compatibility.js';
import { currentSchema, decisionRecords, paths, releasedSchema } from './schema/files.js';

const breaks = forbiddenBreaks(releasedSchema() ?? currentSchema(), currentSchema(), decisionRecords());
if (breaks.length > 0) {
  console.error('schema.graphql breaks callers of the released schema. Undo it, or allow it in an ADR with these lines:');
  for (const change of breaks) console.error(`  ${permission(change)}`);
  process.exit(1);
}
mkdirSync(dirname(paths.released), { recursive: true });
copyFileSync(paths.schema, paths.released);
console.log(`Released: ${relative(paths.root, paths.released)}`);
