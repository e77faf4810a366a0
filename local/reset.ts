/** `npm run reset`: throws away the data folder with its database, keys and logs. Not while it is in use. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { clusterIn } from './postgres/cluster.js';
import { stopLeftOver } from './postgres/left-over.js';
import { Refusal, sentenceOf } from './refusal.js';
import { filesIn, readSettings } from './settings.js';
import { takeLock } from './supervisor/lock.js';

try {
  console.log(await reset(readSettings(process.env).dataDir));
} catch (error) {
  console.error(sentenceOf(error));
  process.exitCode = 1;
}

async function reset(dataDir: string): Promise<string> {
  if (!existsSync(dataDir)) return 'There is no data to throw away.';
  const files = filesIn(dataDir);
  if (!Object.values(files).some((file) => existsSync(file)))
    throw new Refusal(`${dataDir} is no data folder of npm start: it is left alone.`);
  takeLock(files.lock);
  await stopLeftOver(clusterIn(files.postgres));
  await rm(dataDir, { recursive: true, force: true });
  return `Thrown away: ${dataDir}`;
}
