import { isUtf8 } from 'node:buffer';
import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_BUNDLE_POLICIES, MAX_CASES_BYTES, MAX_TEXT_BYTES, type BundledPolicy } from '../../policy/index.js';
import { CommandError } from '../command-error.js';
import { CASES_END, fromFileName, MANIFEST, TEXT_END, toFileName } from './file-names.js';
import { NO_MANIFEST, readManifest, saidOf, type Manifest } from './manifest.js';

/** A folder that stands for the policies of a namespace. */
export interface Folder {
  readonly path: string;
  /** By name. */
  readonly policies: readonly BundledPolicy[];
  readonly manifest: Manifest;
  /** Names of files and folders in it that are nothing of a policy's. */
  readonly others: readonly string[];
}

/**
 * Reads a folder: each `NAME.cedar` is the text of the policy NAME, `NAME.cases.json` beside it its cases, and `policies.json` says what
 * else there is to say. Files whose names begin with a dot are passed over.
 *
 * @throws CommandError naming everything that is wrong with it.
 */
export async function readFolder(path: string): Promise<Folder> {
  const found: Found[] = [];
  for (const entry of await listed(path)) if (!entry.name.startsWith('.')) found.push(...(await foundIn(path, entry)));
  const manifest = manifestAmong(found);
  const texts = of(found, 'text').map(({ fileName, text }) => ({ fileName, text, name: fromFileName(fileName) }));
  const cases = new Map(of(found, 'cases').map(({ fileName, text }) => [fileName, text]));
  const problems = [
    ...found.flatMap((each) => (each.kind === 'problem' ? [each.problem] : [])),
    ...('problems' in manifest ? manifest.problems : []),
    ...problemsAmong(texts, [...cases.keys()], 'problems' in manifest ? NO_MANIFEST : manifest),
  ];
  if (problems.length > 0 || 'problems' in manifest)
    throw new CommandError([`The folder ${path} cannot be read:`, ...problems.map((line) => `  ${line}`)].join('\n'));
  const policies = texts.flatMap(({ fileName, name, text }): BundledPolicy[] =>
    name === null ? [] : [{ name, text, cases: cases.get(fileName) ?? null, ...saidOf(manifest, name) }],
  );
  const others = found.flatMap((each) => (each.kind === 'other' ? [each.name] : []));
  return { path, policies: policies.sort((left, right) => (left.name < right.name ? -1 : 1)), manifest, others };
}

/** What there is in a folder; `fileName` without its end. */
type Found =
  | { readonly kind: Kind; readonly fileName: string; readonly text: string }
  | { readonly kind: 'other'; readonly name: string }
  | { readonly kind: 'problem'; readonly problem: string };

const of = (found: readonly Found[], kind: Kind) => found.flatMap((each) => (each.kind === kind && 'text' in each ? [each] : []));

async function foundIn(path: string, entry: Dirent): Promise<readonly Found[]> {
  const { name } = entry;
  const kind = kindOf(name);
  if (entry.isDirectory()) {
    const isNested = await holdsPolicies(join(path, name));
    return [{ kind: 'other', name }, ...(isNested ? [{ kind: 'problem', problem: nested(name) } as const] : [])];
  }
  if (kind === null) return [{ kind: 'other', name }];
  const read = await readText(path, entry, kind);
  if ('problem' in read) return [{ kind: 'problem', problem: `${name}: ${read.problem}` }];
  return [{ kind, fileName: name.slice(0, -END[kind].length), text: read.text }];
}

function manifestAmong(found: readonly Found[]): Manifest | { readonly problems: readonly string[] } {
  const [manifest] = of(found, 'manifest');
  return manifest === undefined ? NO_MANIFEST : readManifest(manifest.text);
}

/** What does not fit together. */
function problemsAmong(
  texts: readonly { readonly fileName: string; readonly name: string | null }[],
  cases: readonly string[],
  manifest: Manifest,
): readonly string[] {
  const [fileNames, names] = [new Set(texts.map(({ fileName }) => fileName)), new Set(texts.map(({ name }) => name))];
  const count = texts.length;
  return [
    ...texts.flatMap(({ fileName, name }) => nameProblem(fileName, name)),
    ...cases.filter((fileName) => !fileNames.has(fileName)).map(alone),
    ...Object.keys(manifest.policies ?? {})
      .filter((name) => !names.has(name))
      .map(unknown),
    ...(count > MAX_BUNDLE_POLICIES ? [`It holds ${count} policies; at most ${MAX_BUNDLE_POLICIES} are allowed. ${SPLIT}`] : []),
  ];
}

const SPLIT = 'Make several folders of it, for namespaces below.';
const END = { text: TEXT_END, cases: CASES_END, manifest: MANIFEST } as const;
const MAX_BYTES = { text: MAX_TEXT_BYTES, cases: MAX_CASES_BYTES, manifest: 1024 * 1024 } as const;

type Kind = 'text' | 'cases' | 'manifest';

function kindOf(fileName: string): Kind | null {
  if (fileName === MANIFEST) return 'manifest';
  if (fileName.endsWith(CASES_END)) return 'cases';
  return fileName.endsWith(TEXT_END) ? 'text' : null;
}

async function listed(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    throw new CommandError(`The folder ${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
}

const holdsPolicies = async (path: string): Promise<boolean> =>
  (await readdir(path, { recursive: true })).some((name) => name.endsWith(TEXT_END));

/** To the byte. */
async function readText(path: string, entry: Dirent, kind: Kind): Promise<{ readonly text: string } | { readonly problem: string }> {
  // A link could lead to any file of the machine, whose content would be sent away.
  if (!entry.isFile()) return { problem: 'is a link or a special file, and not read: put the file itself there.' };
  const file = join(path, entry.name);
  const { size } = await lstat(file);
  if (size > MAX_BYTES[kind]) return { problem: `has ${size} bytes; at most ${MAX_BYTES[kind]} are allowed.` };
  const bytes = await readFile(file);
  if (!isUtf8(bytes)) return { problem: 'holds bytes that are no UTF-8. Save it as UTF-8.' };
  if (bytes.length === 0) return { problem: 'is empty. Take it out, or write something.' };
  if (bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) return { problem: 'begins with a byte order mark. Save it as UTF-8 without one.' };
  return { text: bytes.toString() };
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

function nameProblem(fileName: string, name: string | null): readonly string[] {
  const file = fileName + TEXT_END;
  if (name === null)
    return [
      `${file}: % in a file’s name stands for one of % / \\ : * ? " < > | by two digits, such as %2F; call it ${toFileName(fileName)}${TEXT_END} if the name has a %.`,
    ];
  if (name.trim() !== name || name === '' || name.length > 100)
    return [`${file}: a policy’s name has 1 to 100 characters, and no white space at its ends.`];
  return [];
}

const nested = (folder: string): string =>
  `${folder}: holds policies. A folder stands for one namespace: apply that one by itself, for a namespace of its own, or move its files here.`;
const alone = (fileName: string): string => `${fileName}${CASES_END}: belongs to no policy: there is no ${fileName}${TEXT_END}.`;
const unknown = (name: string): string => `${MANIFEST}: speaks of ${JSON.stringify(name)}, but there is no ${toFileName(name)}${TEXT_END}.`;
