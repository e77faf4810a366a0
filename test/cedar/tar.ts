import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/** The files of a compressed tar archive whose names are short enough to stand in one header (up to 100 characters). */
export function filesOf(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  const bytes = gunzipSync(archive);
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
    const name = bytes.toString('utf8', at, at + 100).replace(/\0.*$/s, '');
    const size = parseInt(bytes.toString('latin1', at + 124, at + 136), 8);
    files.set(name, bytes.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK * (1 + Math.ceil(size / BLOCK));
  }
  return files;
}
