/** Composes the subgraphs of supergraph.yaml with both composers that routers in use rely on, and compares the results. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { composeServices as composeWithApollo } from '@apollo/composition';
import { composeServices as composeWithGuild } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { load } from 'js-yaml';
import { z } from 'zod';

const SupergraphFile = z.object({
  federation_version: z.string(),
  subgraphs: z.record(z.string(), z.object({ routing_url: z.url(), schema: z.object({ file: z.string() }) })),
});

export interface Subgraph {
  readonly name: string;
  readonly url: string;
  readonly sdl: string;
}

export interface Composition {
  readonly composer: string;
  /** Empty when composition failed. */
  readonly supergraph: string;
  readonly errors: readonly string[];
}

/** The subgraphs that a file in rover's format names, with their schemas read from beside it. */
export function readSubgraphs(file: string): readonly Subgraph[] {
  const { subgraphs } = SupergraphFile.parse(load(readFileSync(file, 'utf8')));
  return Object.entries(subgraphs).map(([name, subgraph]) => ({
    name,
    url: subgraph.routing_url,
    sdl: readFileSync(join(dirname(file), subgraph.schema.file), 'utf8'),
  }));
}

/** One result per composer: Apollo's, which Apollo Router uses, and The Guild's, which Hive's gateway and router use. */
export function composeWithBoth(subgraphs: readonly Subgraph[]): readonly Composition[] {
  const services = subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) }));
  const composers = { '@apollo/composition': composeWithApollo, '@theguild/federation-composition': composeWithGuild };
  return Object.entries(composers).map(([composer, compose]) => {
    const { supergraphSdl, errors } = compose(services);
    return { composer, supergraph: supergraphSdl ?? '', errors: (errors ?? []).map(({ message }) => message) };
  });
}
