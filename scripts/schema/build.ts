import { buildASTSchema, concatAST, parse, type GraphQLSchema } from 'graphql';
import { federationDirectives } from '../generate/federation-directives.mjs';

/** A subgraph's SDL as an ordinary GraphQL schema, with federation's directives known. */
export function buildSubgraph(sdl: string): GraphQLSchema {
  return buildASTSchema(concatAST([parse(sdl), parse(federationDirectives)]));
}
