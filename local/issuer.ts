import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';

export interface TokenRequest {
  readonly userId: string;
  readonly organizationId: string;
  readonly scopes: readonly string[];
  /** The agent for which alone the token speaks; default: none in particular. */
  readonly agentId?: string;
  /** Default: both the platform behind the gateway and the governance subgraph itself. */
  readonly audience?: readonly string[];
  /** Default: 30 days. */
  readonly expiresInSeconds?: number;
}

/** The platform's identity provider, as far as local runs and tests need one. */
export interface Issuer {
  /** A signed bearer token (JWT, ES256). */
  mintToken(request: TokenRequest): Promise<string>;
  /** The public key as a JSON Web Key Set (RFC 7517). */
  readonly keySet: { readonly keys: readonly JWK[] };
}

const algorithm = 'ES256';
const thirtyDaysInSeconds = 30 * 24 * 60 * 60;

/** Opens the issuer whose private key is kept in `keyFile`; makes the key when there is none. `url` becomes the claim `iss`. */
export async function openIssuer(keyFile: string, url: string): Promise<Issuer> {
  const secret = await readKey(keyFile);
  const key = await importJWK(secret, algorithm);
  const kid = await calculateJwkThumbprint(secret);
  const { d: _private, ...visible } = secret;
  return {
    keySet: { keys: [{ ...visible, kid, alg: algorithm, use: 'sig' }] },
    mintToken(request) {
      const { userId, organizationId, scopes, agentId } = request;
      const { audience = ['platform', 'agent-governance'], expiresInSeconds = thirtyDaysInSeconds } = request;
      const issuedAtSeconds = Math.floor(Date.now() / 1000);
      return new SignJWT({ org: organizationId, scope: scopes.join(' '), ...(agentId !== undefined && { agent: agentId }) })
        .setProtectedHeader({ alg: algorithm, kid, typ: 'JWT' })
        .setIssuer(url)
        .setSubject(userId)
        .setAudience([...audience])
        .setIssuedAt(issuedAtSeconds)
        .setExpirationTime(issuedAtSeconds + expiresInSeconds)
        .setJti(randomUUID())
        .sign(key);
    },
  };
}

export interface KeyServer {
  close(): Promise<void>;
}

/** Serves the issuer's public keys on 127.0.0.1 at `/.well-known/jwks.json`. */
export async function serveKeys(issuer: Issuer, port: number): Promise<KeyServer> {
  const body = JSON.stringify(issuer.keySet);
  const server = createServer((request, response) => {
    const found = request.url === '/.well-known/jwks.json';
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json', 'cache-control': 'public, max-age=60' });
    response.end(found ? body : '{"error":"not found"}');
  });
  await new Promise<void>((settle, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', settle);
  });
  return {
    close: () =>
      new Promise((settle) => {
        server.close(() => settle());
        server.closeAllConnections();
      }),
  };
}

async function readKey(keyFile: string): Promise<JWK> {
  if (!existsSync(keyFile)) {
    const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
    // Renamed into place whole: a start that is cut short leaves no half a key.
    await writeFile(`${keyFile}.new`, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600 });
    await rename(`${keyFile}.new`, keyFile);
  }
  const key: JWK = JSON.parse(await readFile(keyFile, 'utf8'));
  return key;
}
