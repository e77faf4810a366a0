import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundledPolicy } from '../../policy/index.js';
import { CommandError } from '../command-error.js';
import { CASES_END, fromFileName, isNameable, MANIFEST, TEXT_END, toFileName } from './file-names.js';
import { isSameSaid, manifestOf, NO_MANIFEST, readManifest, type Manifest } from './manifest.js';
import type { Standing } from './service.js';

/** What an export did. */
export interface Exported {
  /** Names of files. */
  readonly written: readonly string[];
  readonly unchanged: readonly string[];
  /** Files of policies that were not exported. They are left alone. */
  readonly left: readonly string[];
  /** What a folder cannot say of policies that were exported, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * The policies of a namespace that a folder can stand for: published, and applied as code or, when `isAll`, written by hand. Those that
 * follow from rules about tools are made by these.
 */
export const exportable = (standing: readonly Standing[], isAll: boolean): readonly Standing[] =>
  standing.filter(({ origin, latest }) => latest?.status === 'PUBLISHED' && (origin === 'AS_CODE' || (isAll && origin === 'AUTHORED')));

/**
 * Writes policies into a folder, as they were applied to the byte. A file that is there and another is not overwritten, unless `isForced`;
 * and when there is one, nothing is written at all.
 *
 * @throws CommandError naming the files that are another, or the policies that cannot be files.
 */
export async function exportTo(
  folder: string,
  standing: readonly Standing[],
  { isForced }: { readonly isForced: boolean },
): Promise<Exported> {
  const nameless = standing.filter(({ name }) => !isNameable(name));
  if (nameless.length > 0)
    throw new CommandError(`The names of these policies are too long for a file: ${nameless.map(({ name }) => name).join(', ')}.`);
  await mkdir(folder, { recursive: true });
  const policies = standing.flatMap((policy) => bundled(policy));
  const before = await manifestIn(folder);
  const wanted = [...policies.flatMap(filesOf), ...manifestFile(before, policies)];
  const files = await Promise.all(wanted.map(async (file) => ({ ...file, found: await foundAt(join(folder, file.name), file.content) })));
  const others = files.filter(({ found }) => found === 'other');
  if (others.length > 0 && !isForced)
    throw new CommandError(
      [
        `These files of ${folder} are another already, and nothing was written. To overwrite them: --force`,
        ...others.map(({ name }) => `  ${name}`),
      ].join('\n'),
    );
  const writing = files.filter(({ found }) => found !== 'same');
  for (const { name, content } of writing) await put(folder, name, content);
  await verify(folder, files);
  const names = new Set(wanted.map(({ name }) => name));
  return {
    written: writing.map(({ name }) => name),
    unchanged: files.filter(({ found }) => found === 'same').map(({ name }) => name),
    left: (await readdir(folder)).filter((name) => !names.has(name) && isOfPolicy(name)).sort(),
    notes: standing.flatMap(({ name, latest }) =>
      latest?.hasSchedule === true
        ? [`${name} is in force between times, which a folder does not say: applied, it is in force at once, and for good.`]
        : [],
    ),
  };
}

const bundled = ({ name, description, latest }: Standing): readonly BundledPolicy[] =>
  latest === null ? [] : [{ name, description, text: latest.text, cases: latest.cases, mode: latest.mode }];

interface File {
  readonly name: string;
  readonly content: Buffer;
}

const filesOf = ({ name, text, cases }: BundledPolicy): readonly File[] => [
  { name: toFileName(name) + TEXT_END, content: Buffer.from(text) },
  ...(cases === null ? [] : [{ name: toFileName(name) + CASES_END, content: Buffer.from(cases) }]),
];

const isOfPolicy = (fileName: string): boolean =>
  [TEXT_END, CASES_END].some((end) => fileName.endsWith(end) && fromFileName(fileName.slice(0, -end.length)) !== null);

/** What the folder’s manifest says, if it has one. */
export async function manifestIn(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch(() => null);
  if (text === null) return NO_MANIFEST;
  const said = readManifest(text);
  if ('problems' in said) throw new CommandError(said.problems.join('\n'));
  return said;
}

/** The manifest, when there is something to say that the one that is there does not. */
function manifestFile(before: Manifest, policies: readonly BundledPolicy[]): readonly File[] {
  const after = manifestOf(before, policies);
  const names = [...new Set([...Object.keys(before.policies ?? {}), ...policies.map(({ name }) => name)])];
  return isSameSaid(before, after, names) ? [] : [{ name: MANIFEST, content: Buffer.from(`${JSON.stringify(after, null, 2)}\n`) }];
}

/** A link counts as another: what it leads to is not looked at. */
async function foundAt(path: string, content: Buffer): Promise<'none' | 'same' | 'other'> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return 'none';
  if (found.isDirectory()) throw new CommandError(`${path} is a folder; a policy’s file is to be there.`);
  return found.isFile() && content.equals(await readFile(path)) ? 'same' : 'other';
}

/** Puts a whole file in its place, and follows no link that is there. */
async function put(folder: string, name: string, content: Buffer): Promise<void> {
  const beside = join(folder, `.${randomUUID()}.tmp`);
  try {
    await writeFile(beside, content, { flag: 'wx' });
    await rename(beside, join(folder, name));
  } finally {
    await rm(beside, { force: true });
  }
}

/** On some systems two names are one file. */
async function verify(folder: string, files: readonly File[]): Promise<void> {
  for (const { name, content } of files)
    if (!content.equals(await readFile(join(folder, name))))
      throw new CommandError(`${join(folder, name)} is not as it was written: here it seems to be one file with another policy’s.`);
}
