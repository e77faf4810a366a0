import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shown, unifiedDiff } from '../../src/cli/policies/diff.js';
import { exportTo } from '../../src/cli/policies/export.js';
import { fromFileName, isNameable, toFileName } from '../../src/cli/policies/file-names.js';
import { readFolder } from '../../src/cli/policies/folder.js';
import type { Standing } from '../../src/cli/policies/service.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'policies-'));
});
afterEach(() => rm(folder, { recursive: true }));

const put = (files: Readonly<Record<string, string | Buffer>>): Promise<unknown> =>
  Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(folder, name), content)));

describe('the name of a file', () => {
  it.each([
    ['no deletes', 'no deletes'],
    ['a/b', 'a%2Fb'],
    ['../../etc/passwd', '%2E.%2F..%2Fetc%2Fpasswd'],
    ['.hidden', '%2Ehidden'],
    ['100 %', '100 %25'],
    ['C:\\x', 'C%3A%5Cx'],
    ['ends.', 'ends%2E'],
    ['é😀', 'é😀'],
    ['policies', 'policies'],
    ['x.cases', 'x.cases'],
  ])('stands for %s', (name, fileName) => {
    expect(toFileName(name)).toBe(fileName);
    expect(fromFileName(fileName)).toBe(name);
  });

  it.each(['a%2fb', 'a%41', 'a%', '%2', 'a:b'])('is not %s', (fileName) => {
    expect(fromFileName(fileName)).toBeNull();
  });

  it('has at most 255 bytes', () => {
    expect([isNameable('é'.repeat(100)), isNameable('😀'.repeat(62))]).toEqual([true, false]);
  });
});

describe('a folder', () => {
  it('is read to the byte, with what its manifest says', async () => {
    const text = '// é\r\npermit (principal, action, resource);\r\n\n\n';
    await put({ 'b.cedar': text, 'a%2Fb.cedar': 'x', 'b.cases.json': '{}', '.gitignore': 'x', 'README.md': '# x' });
    await put({ 'policies.json': '{"namespace": "n", "policies": {"a/b": {"mode": "SHADOW", "description": "Why"}}}' });

    expect(await readFolder(folder)).toEqual({
      path: folder,
      policies: [
        { name: 'a/b', text: 'x', cases: null, mode: 'SHADOW', description: 'Why' },
        { name: 'b', text, cases: '{}', mode: 'ENFORCE', description: null },
      ],
      manifest: { namespace: 'n', policies: { 'a/b': { mode: 'SHADOW', description: 'Why' } } },
      others: ['README.md'],
    });
  });

  it('is refused with everything that is wrong with it', async () => {
    await put({
      'bytes.cedar': Buffer.from([0x70, 0xff]),
      'mark.cedar': Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('permit')]),
      'empty.cedar': '',
      'large.cedar': 'x'.repeat(16 * 1024 + 1),
      'a%zz.cedar': 'x',
      ' x.cedar': 'x',
      'alone.cases.json': '{}',
      'policies.json': '{"policies": {"gone": {"mode": "shadow"}}, "extra": 1}',
    });
    await symlink('/etc/passwd', join(folder, 'link.cedar'));
    await mkdir(join(folder, 'below', 'deep'), { recursive: true });
    await writeFile(join(folder, 'below', 'deep', 'x.cedar'), 'x');

    const error = await readFolder(folder).catch((reason: Error) => reason.message);

    for (const part of [
      'bytes.cedar: holds bytes that are no UTF-8.',
      'mark.cedar: begins with a byte order mark.',
      'empty.cedar: is empty.',
      'large.cedar: has 16385 bytes; at most 16384 are allowed.',
      'a%zz.cedar: % in a file’s name stands for',
      ' x.cedar: a policy’s name has 1 to 100 characters, and no white space at its ends.',
      'alone.cases.json: belongs to no policy: there is no alone.cedar.',
      'policies.json: policies.gone.mode:',
      'policies.json: it: Unrecognized key: "extra".',
      'link.cedar: is a link or a special file, and not read',
      'below: holds policies.',
    ])
      expect(error).toContain(part);
  });

  it('speaks in its manifest of policies that it holds', async () => {
    await put({ 'a.cedar': 'x', 'policies.json': '{"policies": {"__proto__": {}, "b/c": {}}}' });

    await expect(readFolder(folder)).rejects.toThrow('policies.json: speaks of "b/c", but there is no b%2Fc.cedar.');
  });

  it('is there', async () => {
    await expect(readFolder(join(folder, 'none'))).rejects.toThrow(/^The folder .* cannot be read: .*ENOENT/);
  });
});

describe('a diff', () => {
  it('shows what changes, and that a text ends without a line break', () => {
    expect(unifiedDiff('a.cedar', 'one\ntwo\n', 'one\n2')).toBe(
      '--- a/a.cedar\n+++ b/a.cedar\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n\\ No newline at end of file\n',
    );
  });

  it.each([
    [null, 'x\n', '--- /dev/null\n+++ b/f\n@@ -0,0 +1,1 @@\n+x\n'],
    ['x\n', null, '--- a/f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n'],
    ['x', 'x', ''],
    [null, null, ''],
  ])('of %j and %j', (from, to, patch) => {
    expect(unifiedDiff('f', from, to)).toBe(patch);
  });

  it('of long texts that have nothing in common is made in little time', () => {
    const lines = (letter: string): string => Array.from({ length: 8_000 }, (_, n) => `${letter}${n}\n`).join('');

    expect(unifiedDiff('f', lines('a'), lines('b'))).toContain('@@ -1,8000 +1,8000 @@\n-a0\n');
  });

  it('steers no terminal, and shows line ends', () => {
    expect(shown('+a\r\n\u001b[31m\u202ered\t')).toBe('+a␍\n␛[31m\\u{202e}red\t');
  });
});

describe('an export', () => {
  const aStanding = (name: string, latest: object = {}): Standing => ({
    ...{ policyId: name, name, description: null, origin: 'AS_CODE', wasApplied: true, repository: null, status: 'PUBLISHED' },
    latest: { ...{ revision: 1, status: 'PUBLISHED', text: 'x\r\n', cases: null, mode: 'ENFORCE', hasSchedule: false }, ...latest },
    ...{ publishedBy: null, publishedAt: null },
  });
  const contents = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all((await readdir(folder)).sort().map(async (name) => [name, await readFile(join(folder, name), 'utf8')])),
    );

  it('reads back as it was, to the byte, whatever the names', async () => {
    const standing = [
      aStanding('../out', { cases: '{}\n\n' }),
      aStanding('b', { text: '// é\n', mode: 'SHADOW' }),
      { ...aStanding('c'), description: 'Why' },
    ];

    const done = await exportTo(folder, standing, { isForced: false });

    expect(await contents()).toEqual({
      '%2E.%2Fout.cedar': 'x\r\n',
      '%2E.%2Fout.cases.json': '{}\n\n',
      'b.cedar': '// é\n',
      'c.cedar': 'x\r\n',
      'policies.json':
        '{\n  "policies": {\n    "b": {\n      "mode": "SHADOW"\n    },\n    "c": {\n      "description": "Why"\n    }\n  }\n}\n',
    });
    expect(done.written).toHaveLength(5);
    expect(await exportTo(folder, standing, { isForced: false })).toMatchObject({ written: [], left: [] });
    expect((await readFolder(folder)).policies).toMatchObject([
      { name: '../out', text: 'x\r\n', cases: '{}\n\n', mode: 'ENFORCE' },
      { name: 'b', text: '// é\n', mode: 'SHADOW' },
      { name: 'c', description: 'Why' },
    ]);
  });

  it('leaves a manifest that says the same, and files of other policies', async () => {
    await put({ 'policies.json': '{ "namespace":"n","policies":{"a":{"mode":"SHADOW"}} }', 'other.cedar': 'y', 'notes.txt': 'z' });

    expect(await exportTo(folder, [aStanding('a', { mode: 'SHADOW' })], { isForced: false })).toMatchObject({
      written: ['a.cedar'],
      left: ['other.cedar'],
    });
    expect(await contents()).toMatchObject({
      'policies.json': '{ "namespace":"n","policies":{"a":{"mode":"SHADOW"}} }',
      'other.cedar': 'y',
    });
  });

  it('overwrites nothing that is another, and then writes nothing at all, unless it is told to', async () => {
    await put({ 'a.cedar': 'mine', 'b.cedar': 'x\r\n' });
    const standing = ['a', 'b', 'c'].map((name) => aStanding(name));

    await expect(exportTo(folder, standing, { isForced: false })).rejects.toThrow(
      /nothing was written\. To overwrite them: --force\n {2}a\.cedar$/,
    );
    expect(await contents()).toEqual({ 'a.cedar': 'mine', 'b.cedar': 'x\r\n' });

    expect(await exportTo(folder, standing, { isForced: true })).toMatchObject({ written: ['a.cedar', 'c.cedar'], unchanged: ['b.cedar'] });
    expect(await contents()).toEqual({ 'a.cedar': 'x\r\n', 'b.cedar': 'x\r\n', 'c.cedar': 'x\r\n' });
  });

  it('follows no link out of the folder', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'outside-'));
    await writeFile(join(outside, 'target'), 'theirs');
    await symlink(join(outside, 'target'), join(folder, 'a.cedar'));

    await expect(exportTo(folder, [aStanding('a')], { isForced: false })).rejects.toThrow('a.cedar');
    await exportTo(folder, [aStanding('a')], { isForced: true });

    expect([await readFile(join(outside, 'target'), 'utf8'), await readFile(join(folder, 'a.cedar'), 'utf8')]).toEqual(['theirs', 'x\r\n']);
    await rm(outside, { recursive: true });
  });

  it('says what a folder cannot', async () => {
    expect((await exportTo(folder, [aStanding('a', { hasSchedule: true })], { isForced: false })).notes).toEqual([
      'a is in force between times, which a folder does not say: applied, it is in force at once, and for good.',
    ]);
    await expect(exportTo(folder, [aStanding('😀'.repeat(70))], { isForced: false })).rejects.toThrow('too long for a file');
  });
});
