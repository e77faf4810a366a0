import { createTwoFilesPatch } from 'diff';

/** The most lines that are removed and added one by one; beyond that a text is shown as replaced as a whole, in little time. */
const MAX_EDITS = 2_000;

/** The file's name where there is none, as in patches of git. */
const NONE = '/dev/null';

/** What changes from one text to another; null: there is none. Empty when nothing does. */
export function unifiedDiff(file: string, from: string | null, to: string | null): string {
  if (from === to) return '';
  const names = [from === null ? NONE : `a/${file}`, to === null ? NONE : `b/${file}`] as const;
  const patch =
    createTwoFilesPatch(...names, from ?? '', to ?? '', undefined, undefined, { context: 3, maxEditLength: MAX_EDITS }) ??
    replaced(names, from ?? '', to ?? '');
  return patch.replace(/^=+\n/, '');
}

const replaced = ([before, after]: readonly [string, string], from: string, to: string): string => {
  const [old, new_] = [linesOf(from), linesOf(to)];
  return [
    `--- ${before}`,
    `+++ ${after}`,
    `@@ -1,${old.length} +1,${new_.length} @@`,
    ...old.map((line) => `-${line}`),
    ...new_.map((line) => `+${line}`),
    '',
  ].join('\n');
};

const linesOf = (text: string): readonly string[] => text.replace(/\n$/, '').split('\n');

/**
 * A text as it is safe to show on a terminal: what is no sign of its own, steers the terminal, or turns the direction of a line, is written
 * out. Of line ends only the line feed stays, so that a change of line ends shows.
 */
export const shown = (text: string): string =>
  text.replace(UNSEEN, (character) =>
    character < ' '
      ? String.fromCodePoint(0x2400 + (character.codePointAt(0) ?? 0))
      : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );

// eslint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
