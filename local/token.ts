/** `npm run --silent token -- developer`: prints a fresh bearer token of the local issuer. */
import { parseArgs } from 'node:util';
import { organization } from './demo/organization.js';
import { isTokenHolder, tokenHolders } from './demo/token-holders.js';
import { openIssuer, type TokenRequest } from './issuer.js';
import { Refusal, sentenceOf } from './refusal.js';
import { addressesOf, filesIn, readSettings, type Settings } from './settings.js';
import { makeWritable, savedEnvironment } from './supervisor/data-folder.js';

const usage = `Usage: npm run --silent token -- ${Object.keys(tokenHolders).join('|')} [--expires-in SECONDS] [--agent ID]
       npm run --silent token -- --user ID --scopes "a b" [--organization ID] [--agent ID] [--expires-in SECONDS]`;

try {
  console.log(await tokenFor(process.argv.slice(2)));
} catch (error) {
  console.error(sentenceOf(error));
  process.exitCode = 1;
}

async function tokenFor(args: string[]): Promise<string> {
  const settings = readSettings(process.env);
  const request = requestFrom(args);
  await makeWritable(settings.dataDir);
  const issuer = await openIssuer(filesIn(settings.dataDir).issuerKey, issuerOf(settings));
  return issuer.mintToken(request);
}

/** What the last start told the subgraph to trust, since its ports may have been set for that start alone. */
function issuerOf({ dataDir, ports }: Settings): string {
  return savedEnvironment(dataDir)?.['TOKEN_ISSUER'] ?? addressesOf(ports).issuer;
}

function requestFrom(args: string[]): TokenRequest {
  const { values, positionals } = parsed(args);
  const more = {
    ...(values['expires-in'] !== undefined && { expiresInSeconds: secondsFrom(values['expires-in']) }),
    ...(values.agent !== undefined && { agentId: values.agent }),
  };
  const [name] = positionals;
  if (name !== undefined && isTokenHolder(name)) return { ...tokenHolders[name], ...more };
  if (name !== undefined || values.user === undefined || values.scopes === undefined) throw new Refusal(usage);
  const scopes = values.scopes.split(' ').filter((scope) => scope !== '');
  return { userId: values.user, organizationId: values.organization ?? organization.id, scopes, ...more };
}

function parsed(args: string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { user: text, organization: text, scopes: text, agent: text, 'expires-in': text },
    });
  } catch {
    throw new Refusal(usage);
  }
}

function secondsFrom(text: string): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds)) throw new Refusal(`--expires-in takes whole seconds, not "${text}".`);
  return seconds;
}
