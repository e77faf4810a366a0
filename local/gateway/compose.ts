import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { load } from 'js-yaml';
import { z } from 'zod';

const SupergraphFile = z.object({
  subgraphs: z.record(z.string(), z.object({ routing_url: z.string(), schema: z.object({ file: z.string() }) })),
});

/**
 * The supergraph of a `supergraph.yaml`, as SDL.
 *
 * @param addresses where subgraphs really are, by name; the file's `routing_url` holds for those not named.
 * @throws Error naming everything that keeps the subgraphs from being composed.
 */
export function composeSupergraph(file: string, addresses: Readonly<Record<string, string>>): string {
  const { subgraphs } = SupergraphFile.parse(load(readFileSync(file, 'utf8')));
  const services = Object.entries(subgraphs).map(([name, subgraph]) => ({
    name,
    url: addresses[name] ?? subgraph.routing_url,
    typeDefs: parse(readFileSync(join(dirname(file), subgraph.schema.file), 'utf8')),
  }));
  const { supergraphSdl, errors } = composeServices(services);
  if (supergraphSdl !== undefined) return supergraphSdl;
  throw new Error(`The supergraph does not compose:\n${(errors ?? []).map(({ message }) => `  ${message}`).join('\n')}`);
}
