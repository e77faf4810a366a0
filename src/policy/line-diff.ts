import { diffArrays } from 'diff';

/** A line of two texts: in both, or in one of them alone. */
export interface DiffLine {
  readonly kind: 'SAME' | 'REMOVED' | 'ADDED';
  readonly text: string;
  /** Its number in the first text, from 1; null when it is not there. */
  readonly fromLine: number | null;
  /** Its number in the second text. */
  readonly toLine: number | null;
}

/** The most lines that are removed and added one by one; what differs in more is shown as replaced as a whole, in little time. */
const MAX_EDITS = 400;

/** What differs between two texts, line by line, in their order: what is removed before what is added in its place. Pure. */
export function lineDiff(from: string, to: string): readonly DiffLine[] {
  const [before, after] = [linesOf(from), linesOf(to)];
  const parts = diffArrays(before, after, { maxEditLength: MAX_EDITS }) ?? [
    { value: before, removed: true, added: false },
    { value: after, removed: false, added: true },
  ];
  let [fromLine, toLine] = [0, 0];
  return parts.flatMap(({ value, removed, added }) =>
    value.map((text): DiffLine => {
      if (removed) return { kind: 'REMOVED', text, fromLine: (fromLine += 1), toLine: null };
      if (added) return { kind: 'ADDED', text, fromLine: null, toLine: (toLine += 1) };
      return { kind: 'SAME', text, fromLine: (fromLine += 1), toLine: (toLine += 1) };
    }),
  );
}

/** A text that ends with a line break has no empty line behind it; an empty text has no line. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
