/** The ends of the names of a folder's files. */
export const TEXT_END = '.cedar';
export const CASES_END = '.cases.json';
/** The file that says what else there is to say of a folder's policies. */
export const MANIFEST = 'policies.json';

/** The longest name that a file can have on most systems, in bytes. */
const MAX_FILE_NAME_BYTES = 255;

/** What no file name holds on some system, or what leads out of the folder; and the sign by which it is written. */
const UNSAFE = /[%/\\:*?"<>|]|^\.|[. ]$/g;

/**
 * A policy's name as that of a file, without its end. What a file's name cannot hold everywhere is written as % and two digits: no name
 * leads out of the folder, and each comes back as it was.
 */
export const toFileName = (name: string): string =>
  name.replace(UNSAFE, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);

/** Whether files of the policy can have their names. */
export const isNameable = (name: string): boolean => Buffer.byteLength(toFileName(name) + CASES_END) <= MAX_FILE_NAME_BYTES;

/** The policy's name; null when a policy's file is not called so. */
export function fromFileName(fileName: string): string | null {
  const name = fileName.replace(/%([0-9A-F]{2})/g, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return toFileName(name) === fileName ? name : null;
}
