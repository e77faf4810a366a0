import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { CommandError } from './command-error.js';

/** Where to ask, and as whom. */
export interface ServiceConnection {
  /** Without a path and without a slash at its end. */
  readonly baseUrl: string;
  readonly token: string;
}

/** The same, and about which project. */
export interface Connection extends ServiceConnection {
  readonly projectId: string;
  /** Who the token says its bearer is; empty for a token that is no JWT. */
  readonly userId: string;
}

/** What `npm start` writes down about the service that it runs. */
const Running = z.object({
  subgraph: z.string(),
  tokens: z.object({ developer: z.string(), policyAdmin: z.string() }),
  demo: z.object({ projectId: z.string() }),
});

/**
 * Takes what the command line and the environment say, and for the rest what `npm start` runs.
 *
 * @throws CommandError when that leaves something open.
 */
export function connection(given: { readonly url?: string; readonly token?: string; readonly project?: string }): Connection {
  const running = given.url !== undefined && given.token !== undefined && given.project !== undefined ? null : readRunning();
  const projectId = given.project ?? running?.demo.projectId;
  const service = within(running, given, 'developer');
  if (projectId === undefined) throw new CommandError('Which project is it about? Give --project.');
  return { ...service, projectId, userId: subjectOf(service.token) };
}

/**
 * The same for a command that is about no project, by default as the demo's policy administrator.
 *
 * @throws CommandError when that leaves something open.
 */
export const serviceConnection = (given: { readonly url?: string; readonly token?: string }): ServiceConnection =>
  within(given.url !== undefined && given.token !== undefined ? null : readRunning(), given, 'policyAdmin');

function within(
  running: z.infer<typeof Running> | null,
  given: { readonly url?: string; readonly token?: string },
  who: 'developer' | 'policyAdmin',
): ServiceConnection {
  const url = given.url ?? running?.subgraph;
  const token = given.token ?? (given.url === undefined ? running?.tokens[who] : undefined);
  if (url === undefined) throw new CommandError('Where is the service? Give --url, or start it here with: npm start');
  if (token === undefined) throw new CommandError('Whose token shall be used? Give --token, or set AGENT_GOVERNANCE_TOKEN.');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new CommandError(`--url: must be an http or https URL; got ${JSON.stringify(url)}.`);
  return { baseUrl: url.replace(/\/(graphql)?\/?$/, ''), token };
}

/** Only read, not verified: that is the service's task. */
function subjectOf(token: string): string {
  try {
    return decodeJwt(token).sub ?? '';
  } catch {
    return '';
  }
}

function readRunning(): z.infer<typeof Running> | null {
  const folder = dirname(fileURLToPath(import.meta.url));
  const places = [process.env['DATA_DIR'], '.data', join(folder, '../../.data'), join(folder, '../../../.data')];
  const file = places
    .filter((place) => place !== undefined)
    .map((place) => join(place, 'local.json'))
    .find((path) => existsSync(path));
  if (file === undefined) return null;
  try {
    return Running.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new CommandError(`What npm start wrote down in ${file} cannot be read. Give --url, --token and --project, or start it again.`, {
      cause,
    });
  }
}
