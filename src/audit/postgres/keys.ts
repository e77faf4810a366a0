/**
 * What events are looked up by is a number in the index, not a long id: a hash, seeded with what stands above it, so that the same id in
 * two organizations has two. Numbers may coincide, so that a condition names the id beside it.
 *
 * A number is computed from bound values, or beforehand in a CTE that is materialized: row-level security lets no function see a row
 * before it has been tried, and so no index be used with one (Postgres, “Row Security Policies”, leakproof functions).
 */
export const ORGANIZATION_KEY = 'hashtextextended($1::text, 0)';

/** The number of an id in the organization $1. */
export const keyOf = (id: string): string => `hashtextextended(${id}, ${ORGANIZATION_KEY})`;

/** The number of a tool in a namespace. */
export const toolKeyOf = (tool: string, namespace: string): string => `hashtextextended(${tool}, ${keyOf(namespace)})`;
