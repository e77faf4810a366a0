import { timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import type { IdentityConfig } from '../config.js';
import { Failure, hasJustBeen, isPlain, organizationId, sha256Hex, userId, type Clock, type Viewer } from '../kernel/index.js';

/** Who is at the door: the router with its secret, somebody with a token, or both. */
export interface Caller {
  readonly isRouter: boolean;
  /** Null when no token came along; only the router may come without. */
  readonly viewer: Viewer | null;
}

/** What a caller showed. */
export interface Credentials {
  /** The `Authorization` header: `Bearer TOKEN`. */
  readonly authorization: string | undefined;
  /** The `router-secret` header. */
  readonly routerSecret: string | undefined;
}

/**
 * Finds out who is asking.
 *
 * @throws Failure UNAUTHENTICATED without the router's secret and a token of this service's own audience, or with a token that
 * does not verify; UNAVAILABLE when the keys to verify it cannot be had.
 */
export type Authenticate = (credentials: Credentials) => Promise<Caller>;

/** Asymmetric algorithms only: a shared secret would let every verifier mint tokens. */
const ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'RS256', 'PS256'];

/** Verified tokens are remembered this long, at most: verifying costs a hundred times a look-up. */
const REMEMBER_MILLISECONDS = 30_000;
const REMEMBER_TOKENS = 5_000;

/** Authentication by bearer JWTs (RFC 7519) against a JWKS (RFC 7517). */
export function authenticateBy(config: IdentityConfig, clock: Clock): Authenticate {
  const keys = createRemoteJWKSet(new URL(config.jwksUrl), { timeoutDuration: 3_000, cooldownDuration: 5_000 });
  const known = new Map<string, { readonly viewer: Viewer; readonly at: number }>();

  const verify = async (token: string, audience: readonly string[]): Promise<Viewer> => {
    const key = sha256Hex(`${audience.length} ${token}`);
    const now = clock().getTime();
    const remembered = known.get(key);
    if (remembered !== undefined && hasJustBeen(remembered.at, now, REMEMBER_MILLISECONDS) && now < remembered.viewer.expiresAt.getTime())
      return remembered.viewer;
    const viewer = viewerFrom(
      await verifiedClaims(token, keys, { issuer: config.issuer, audience: [...audience], algorithms: ALGORITHMS, currentDate: clock() }),
    );
    if (known.size >= REMEMBER_TOKENS) known.clear();
    known.set(key, { viewer, at: now });
    return viewer;
  };

  return async ({ authorization, routerSecret }) => {
    const isRouter = config.routerSecret !== null && routerSecret !== undefined && isSame(routerSecret, config.routerSecret);
    if (authorization === undefined || authorization === '') {
      if (isRouter) return { isRouter, viewer: null };
      throw new Failure('UNAUTHENTICATED', 'This needs a bearer token in the Authorization header.');
    }
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (token === undefined) throw new Failure('UNAUTHENTICATED', 'The Authorization header must read: Bearer, a space, a token.');
    const audience = isRouter ? [config.audience, config.routerAudience] : [config.audience];
    return { isRouter, viewer: await verify(token, audience) };
  };
}

/** @throws Failure UNAUTHENTICATED when nobody's token came along. */
export function viewerOf(caller: Caller): Viewer {
  if (caller.viewer === null) throw new Failure('UNAUTHENTICATED', 'This needs a bearer token in the Authorization header.');
  return caller.viewer;
}

type Verification = NonNullable<Parameters<typeof jwtVerify>[2]>;

async function verifiedClaims(token: string, keys: ReturnType<typeof createRemoteJWKSet>, options: Verification): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, { ...options, requiredClaims: ['sub', 'exp', 'org'] })).payload;
  } catch (cause) {
    throw refusal(cause);
  }
}

function refusal(cause: unknown): Failure {
  if (cause instanceof errors.JWTExpired) return new Failure('UNAUTHENTICATED', 'The token has expired. Get a new one.', { cause });
  if (cause instanceof errors.JWTClaimValidationFailed)
    return new Failure('UNAUTHENTICATED', `The token’s claim ${cause.claim} is missing or not for this service.`, { cause });
  if (cause instanceof errors.JWKSTimeout || cause instanceof errors.JWKSInvalid)
    return new Failure('UNAVAILABLE', 'The keys to verify tokens cannot be had. Try again.', { cause });
  if (cause instanceof errors.JOSEError && cause.code !== 'ERR_JOSE_GENERIC')
    return new Failure('UNAUTHENTICATED', 'The token does not verify.', { cause });
  // What is left is the network between here and the issuer.
  return new Failure('UNAVAILABLE', 'The keys to verify tokens cannot be had. Try again.', { cause });
}

function viewerFrom(claims: JWTPayload): Viewer {
  const { sub, org, exp, scope, agent } = claims;
  if (!isName(sub) || !isName(org) || exp === undefined) {
    throw new Failure('UNAUTHENTICATED', 'The token must name its user (sub) and organization (org), and when it ends (exp).');
  }
  if (agent !== undefined && !isName(agent))
    throw new Failure('UNAUTHENTICATED', 'The token’s claim agent must be the id of an agent: a string of 1 to 300 characters.');
  return {
    userId: userId(sub),
    organizationId: organizationId(org),
    agentId: agent ?? null,
    scopes: new Set(typeof scope === 'string' ? scope.split(' ').filter((word) => word !== '') : []),
    expiresAt: new Date(exp * 1_000),
  };
}

/** A verified token may still say anything: the signature is the issuer's, and the claims are what it put there. */
const isName = (claim: unknown): claim is string => typeof claim === 'string' && claim !== '' && claim.length <= 300 && isPlain(claim);

function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(sha256Hex(left)), Buffer.from(sha256Hex(right))];
  return timingSafeEqual(a, b);
}
