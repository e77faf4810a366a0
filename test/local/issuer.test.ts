import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { openIssuer, serveKeys } from '../../local/issuer.js';
import { freePort } from '../../local/ports.js';

const dana = { userId: 'gid://platform/User/1', organizationId: 'gid://platform/Organization/1', scopes: ['audit:read', 'audit:record'] };

describe('the local issuer', () => {
  let folder: string;
  let keyFile: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agent-governance-issuer-'));
    keyFile = join(folder, 'key.json');
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('mints tokens that the key set it serves verifies, also after it was opened again', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${String(port)}`;
    const token = await (await openIssuer(keyFile, url)).mintToken(dana);
    const server = await serveKeys(await openIssuer(keyFile, url), port);

    const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(token, keys, { issuer: url, audience: 'agent-governance', algorithms: ['ES256'] });
    await server.close();

    expect(payload).toMatchObject({
      sub: dana.userId,
      org: dana.organizationId,
      scope: 'audit:read audit:record',
      aud: ['platform', 'agent-governance'],
    });
  });

  it('gives a token the lifetime that was asked for, 30 days by default', async () => {
    const issuer = await openIssuer(keyFile, 'http://issuer');
    const lifetimeSeconds = (token: string) => {
      const { iat = 0, exp = 0 } = decodeJwt(token);
      return exp - iat;
    };
    expect(lifetimeSeconds(await issuer.mintToken(dana))).toBe(2_592_000);
    expect(lifetimeSeconds(await issuer.mintToken({ ...dana, expiresInSeconds: -60 }))).toBe(-60);
  });

  it('shows its private key to nobody', async () => {
    const issuer = await openIssuer(keyFile, 'http://issuer');
    expect(issuer.keySet.keys.map((key) => 'd' in key)).toEqual([false]);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  });
});
