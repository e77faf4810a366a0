// `npm start`: sets up what is missing, then runs everything until Ctrl-C. Plain JavaScript: nothing is installed yet.
import { parseArgs } from 'node:util';
import { setUp } from './set-up.mjs';

const help = `Starts the governance subgraph, an example platform and the gateway in front of both, with demo data.

  npm start             until Ctrl-C
  npm start -- --json   one line of JSON on stdout when ready, for scripts; everything else goes to stderr
                        (npm itself prints two lines before; npm start --silent -- --json keeps it from that)
  npm start -- --help   this text

Environment, with defaults:
  GATEWAY_PORT=4000  PORT=4001 (governance)  PLATFORM_PORT=4002  ISSUER_PORT=4003  POSTGRES_PORT=54329
  DATABASE_URL=      a Postgres 16 or newer of your own, instead of the embedded one
  REDIS_URL=         a Redis; without it the subgraph works alone
  DATA_DIR=.data     database, keys, logs

While it runs:
  npm run start:subgraph               starts the governance subgraph again after it was killed
  npm run --silent token -- NAME       prints a fresh token: developer, policyAdmin, securityTool, agentPlatform
Afterwards:
  npm run reset                        throws the data away`;

try {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) console.log(help);
  else await start(values.json ?? false);
} catch (error) {
  console.error(error.code?.startsWith('ERR_PARSE_ARGS') ? `${error.message}\n\n${help}` : error.message);
  // Not by exitCode alone: a channel to whoever started us would keep this process alive.
  process.exit(1);
}

async function start(asJson) {
  await setUp();
  const { register } = await import('tsx/esm/api');
  register();
  const { run } = await import('./run.ts');
  await run({ asJson });
}
