/** What a text is compared with by `like`: the pieces between the wildcards, so that there is one wildcard less than pieces. */
export type Pattern = readonly string[];

/**
 * A function that tells whether a whole text fits the pattern; a wildcard stands for any text, none included.
 *
 * Pieces are well-formed Unicode, so comparing code units finds none in the middle of a character.
 */
export function matcherOf(pieces: Pattern): (text: string) => boolean {
  const [first = '', ...others] = pieces;
  const last = others.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => text.startsWith(first) && text.endsWith(last) && holdsInOrder(text, others, first.length, text.length - last.length);
}

/** Whether the pieces come one after the other between the two places. The leftmost of each leaves most room for the next. */
function holdsInOrder(text: string, pieces: Pattern, from: number, to: number): boolean {
  let place = from;
  for (const piece of pieces) {
    const found = text.indexOf(piece, place);
    if (found === -1) return false;
    place = found + piece.length;
  }
  return place <= to;
}
