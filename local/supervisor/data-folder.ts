import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, Refusal } from '../refusal.js';
import { filesIn } from '../settings.js';

/**
 * Makes sure that files can be written in `folder`, which is made when missing.
 *
 * @throws Refusal when they cannot.
 */
export async function makeWritable(folder: string): Promise<void> {
  const probe = join(folder, `.writable-${randomBytes(6).toString('hex')}`);
  try {
    await makeFolder(folder);
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    throw new Refusal(
      `The data folder ${folder} cannot be written (${codeOf(error) ?? 'unknown reason'}): change its owner, or set DATA_DIR to another one.`,
    );
  }
}

/** Not `recursive`: where the system answers that /proc/x has no parent, Node asks it again and again for ever. */
async function makeFolder(folder: string): Promise<void> {
  if (existsSync(folder)) return;
  await makeFolder(dirname(folder));
  await mkdir(folder);
}

/** The secret kept in `file`, readable by its owner only; made up when there is none. */
export async function keptSecret(file: string): Promise<string> {
  if (!existsSync(file)) await writePrivately(file, randomBytes(32).toString('hex'));
  return readFile(file, 'utf8');
}

/** Writes a file that only its owner may read, whole or not at all. */
export async function writePrivately(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** What the last start on this folder told the governance subgraph; undefined when there was none. */
export function savedEnvironment(dataDir: string): Readonly<Record<string, string>> | undefined {
  const file = filesIn(dataDir).subgraphEnvironment;
  if (!existsSync(file)) return undefined;
  const environment: Record<string, string> = JSON.parse(readFileSync(file, 'utf8'));
  return environment;
}
