import { Failure } from '../../kernel/index.js';
import type { HttpServer } from '../../platform/http-server.js';

const WELL_KNOWN = '/.well-known/authzen-configuration';
const MAX_AGE_SECONDS = 3_600;

/**
 * Where the decision point is, as AuthZEN 1.0 publishes it, section "Policy Decision Point Metadata". For everybody: whoever reads it has no
 * token yet. There are no capabilities in it, since none are registered that apply here.
 *
 * @param publicUrl where callers reach this service, without a slash at its end; null: where the request says it went. What follows from a
 * request is not to be stored by caches, for it holds for that caller alone.
 */
export function metadataRoutes(server: HttpServer, publicUrl: string | null): void {
  const path = publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/$/, '');
  // The specification puts the well-known part between the host and the path of the decision point's address.
  for (const place of new Set([WELL_KNOWN, `${WELL_KNOWN}${path}`]))
    server.get(place, async (request, reply) => {
      reply.header('Cache-Control', publicUrl === null ? 'no-store' : `public, max-age=${MAX_AGE_SECONDS}`);
      return metadataOf(publicUrl ?? addressIn(`${request.protocol}://${request.host}`));
    });
}

const metadataOf = (address: string): object => ({
  policy_decision_point: address,
  access_evaluation_endpoint: `${address}/access/v1/evaluation`,
  access_evaluations_endpoint: `${address}/access/v1/evaluations`,
  search_subject_endpoint: `${address}/access/v1/search/subject`,
  search_resource_endpoint: `${address}/access/v1/search/resource`,
  search_action_endpoint: `${address}/access/v1/search/action`,
});

/** @throws Failure BAD_USER_INPUT when the request does not say a host. */
function addressIn(said: string): string {
  const url = URL.canParse(said) ? new URL(said) : null;
  if (url === null || url.host === '' || url.pathname !== '/' || url.username !== '' || url.search !== '')
    throw new Failure('BAD_USER_INPUT', 'Host: must name this service; or the operator sets PUBLIC_URL.');
  return url.origin;
}
