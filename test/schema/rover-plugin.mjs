// Stands in for Apollo's `supergraph` plugin, which rover would download: called as `compose FILE`, where FILE is
// supergraph.yaml with every schema written into it, it answers in the plugin's JSON. rover itself reads our file.
import { readFileSync } from 'node:fs';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { load } from 'js-yaml';

const { subgraphs } = load(readFileSync(process.argv.at(-1), 'utf8'));
const services = Object.entries(subgraphs).map(([name, { routing_url: url, schema }]) => ({
  name,
  url,
  typeDefs: parse(schema.sdl),
}));
const { supergraphSdl, errors } = composeServices(services);
console.log(JSON.stringify(errors?.length > 0 ? { Err: buildErrors(errors) } : { Ok: { supergraphSdl, hints: [] } }));

function buildErrors(found) {
  const errorOf = ({ message, extensions }) => ({ message, code: extensions?.code ?? null, type: 'composition', nodes: [] });
  return { type: 'BuildErrors', build_errors: found.map(errorOf) };
}
