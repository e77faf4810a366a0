import { createRemoteJWKSet, jwtVerify } from 'jose';

export interface PlatformContext {
  /** The organization whose data may be shown, and who asks. */
  viewer(): Viewer;
}

export interface Viewer {
  readonly userId: string;
  readonly organizationId: string;
}

/** Carries its code to the client the way GraphQL servers expect it of any error. */
class Unauthenticated extends Error {
  readonly extensions = { code: 'UNAUTHENTICATED' };
}

/** Reads the bearer token of a request. A token that is missing or bad fails the fields that need a viewer, not the request. */
export function identify(jwksUrl: string, issuer: string): (authorization: string | undefined) => Promise<PlatformContext> {
  const keys = createRemoteJWKSet(new URL(jwksUrl));
  return async (authorization) => {
    const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return refusing('This needs a bearer token.');
    try {
      const { payload } = await jwtVerify(token, keys, { issuer, audience: 'platform', algorithms: ['ES256'] });
      const viewer = { userId: String(payload.sub), organizationId: String(payload['org']) };
      return { viewer: () => viewer };
    } catch {
      return refusing('The bearer token is not valid here.');
    }
  };
}

function refusing(reason: string): PlatformContext {
  return {
    viewer: () => {
      throw new Unauthenticated(reason);
    },
  };
}
