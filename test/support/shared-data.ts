import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { it } from '@jest/globals';

/** Real data beside the checkout, which is never copied into it. `SHARED_DATA` says where else it lies. */
const folder = process.env['SHARED_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** A test on a file of the shared data, which gets the file's path; skipped, with a line that says why, where it is not there. */
export function itWithData(file: string, name: string, test: (path: string) => Promise<void>, timeoutMilliseconds?: number): void {
  const path = `${folder}/${file}`;
  if (existsSync(path)) it(name, () => test(path), timeoutMilliseconds);
  else it.skip(`${name} (skipped: there is no ${file} in ../shared/data or in SHARED_DATA)`, () => undefined);
}

/** The rows of a file with a JSON object a line. */
export async function linesOf<Row>(path: string): Promise<readonly Row[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line): Row => JSON.parse(line));
}
