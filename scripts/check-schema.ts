// The two checks of the contract that need nothing but files: `compatibility` and `composition`.
import { composeWithBoth, readSubgraphs } from './schema/composition.js';
import { forbiddenBreaks, permission } from './schema/compatibility.js';
import { currentSchema, decisionRecords, paths, releasedSchema } from './schema/files.js';
import { factsOf } from './schema/supergraph-facts.js';

const checks: Readonly<Record<string, () => readonly string[]>> = { compatibility, composition };

const problems = checks[process.argv[2] ?? '']?.() ?? [`Name one of: ${Object.keys(checks).join(', ')}.`];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function compatibility(): readonly string[] {
  const released = releasedSchema();
  if (released === undefined) return ['There is no docs/schema/released.graphql: run `npm run release:schema`.'];
  return forbiddenBreaks(released, currentSchema(), decisionRecords()).map((change) => `No ADR says \`${permission(change)}\``);
}

function composition(): readonly string[] {
  const compositions = composeWithBoth(readSubgraphs(paths.supergraph));
  const errors = compositions.flatMap(({ composer, errors: found }) => found.map((error) => `${composer}: ${error}`));
  if (errors.length > 0) return errors;
  const [first, ...others] = compositions.map(({ supergraph }) => factsOf(supergraph).join('\n'));
  return others.every((other) => other === first) ? [] : ['The composers disagree about the supergraph.'];
}
