import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { posix } from 'node:path';
import { compileFunction } from 'node:vm';
import { transformSync } from '@swc/core';
import type { Evaluator } from './cases.js';

const ofNode = createRequire(import.meta.url);
const folder = fileURLToPath(new URL('../../src/cedar/', import.meta.url));

/** The evaluator's source by file. */
const sources: ReadonlyMap<string, string> = new Map(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file.replaceAll('\\', '/'), readFileSync(`${folder}${file}`, 'utf8')]),
);

type Module = (exports: object, require: (name: string) => object) => void;
const unchanged = new Map<string, Module>();

function moduleOf(file: string, source: string): Module {
  const { code } = transformSync(source, { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } });
  return compileFunction(code, ['exports', 'require'], { filename: file }) as Module;
}

function unchangedModule(file: string): Module {
  const known = unchanged.get(file);
  if (known !== undefined) return known;
  const made = moduleOf(file, sources.get(file) ?? '');
  unchanged.set(file, made);
  return made;
}

/**
 * The evaluator with one place of its source replaced.
 *
 * @throws Error when the file does not hold the text exactly once: the list of bugs must follow the source
 */
export function mutantOf(file: string, text: string, replacement: string): Evaluator {
  const source = sources.get(file) ?? '';
  if (source.split(text).length !== 2) throw new Error(`src/cedar/${file} does not hold once: ${text}`);
  const changed = moduleOf(
    file,
    source.replace(text, () => replacement),
  );
  const loaded = new Map<string, object>();
  const load = (name: string): object => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const exports = {};
    loaded.set(name, exports);
    const require = (other: string): object =>
      other.startsWith('node:') ? ofNode(other) : load(posix.join(posix.dirname(name), other).replace(/\.js$/, '.ts'));
    (name === file ? changed : unchangedModule(name))(exports, require);
    return exports;
  };
  return load('index.ts') as Evaluator;
}
