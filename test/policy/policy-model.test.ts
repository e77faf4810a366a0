import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { ANNOTATION_NAMES } from '../../src/policy/annotations.js';
import { MAX_TEXT_BYTES } from '../../src/policy/guard.js';
import { readText } from '../../src/policy/read-text.js';
import { ATTRIBUTES } from '../../src/policy/schema-words.js';
import { SCHEMA_VERSION } from '../../src/policy/index.js';
import { wasmParser } from '../../src/policy/wasm/parser.js';
import { aPolicyText } from './generated-policies.js';
import { aRandom } from '../support/random.js';

const page = (): Promise<string> => readFile('docs/policy-model.md', 'utf8');
const examplesIn = (text: string): readonly string[] => [...text.matchAll(/^```cedar\n(.*?)^```$/gms)].map(([, example]) => example ?? '');

/** As few texts as possible that hold all of these: each costs a parser of its own. */
function texts(policies: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (const policy of policies) {
    const last = joined.at(-1);
    if (last !== undefined && Buffer.byteLength(last) + Buffer.byteLength(policy) + 1 <= MAX_TEXT_BYTES)
      joined[joined.length - 1] = `${last}\n${policy}`;
    else joined.push(policy);
  }
  return joined;
}

async function problemsIn(policies: readonly string[]): Promise<readonly unknown[]> {
  const problems: unknown[] = [];
  for (const text of texts(policies)) {
    const read = await readText(wasmParser, text);
    if ('problems' in read)
      problems.push(...read.problems.map((problem) => ({ ...problem, at: text.split('\n')[(problem.line ?? 1) - 1] })));
  }
  return problems;
}

describe('docs/administrators.md', () => {
  it('gives examples that are all acceptable', async () => {
    const examples = examplesIn(await readFile('docs/administrators.md', 'utf8'));

    expect(examples).toHaveLength(2);
    expect(await problemsIn(examples)).toEqual([]);
  });
});

describe('docs/policy-model.md', () => {
  it('gives examples that are all acceptable', async () => {
    const examples = examplesIn(await page());

    expect(examples.length).toBeGreaterThan(40);
    expect(await problemsIn(examples)).toEqual([]);
  });

  it('speaks of every attribute that policies can read, in an example, and of every annotation', async () => {
    const text = await page();
    const examples = examplesIn(text).join('\n');
    const attributes = [...ATTRIBUTES].flatMap(([type, members]) => [...members.keys()].map((member) => `${type}.${member}`));
    // Organizations and groups have what projects have.
    const own = attributes.filter((name) => !/^(Organization|Group)\./.test(name));

    expect(own).toHaveLength(44);
    expect(own.filter((name) => !new RegExp(`(?:\\.|has )${name.split('.')[1] ?? ''}\\b`).test(examples))).toEqual([]);
    expect(ANNOTATION_NAMES.filter((name) => !text.includes(`| \`@${name}("…")\``))).toEqual([]);
    expect(text).toContain(`version ${SCHEMA_VERSION}`);
  });
});

describe('policies of a whole organization', () => {
  it('are acceptable: twenty that are typical', async () => {
    const text = await readFile('test/policy/base-policies.cedar', 'utf8');

    expect(await problemsIn([text])).toEqual([]);
  });

  it('are acceptable: a thousand that are made up', async () => {
    const random = aRandom(20261130);

    expect(await problemsIn(Array.from({ length: 1_000 }, (_, n) => aPolicyText(random, `p${n}`)))).toEqual([]);
  }, 120_000);
});
