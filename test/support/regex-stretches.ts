import type { AST } from '@eslint-community/regexpp';

/** A class or a repetition with more forms than this breaks a stretch. */
const MOST_FORMS = 20;

/** For each stretch of a pattern that is spelt out: all the strings that can stand there. */
export function stretchesOf(elements: readonly AST.Element[]): readonly (readonly string[])[] {
  const done: (readonly string[])[] = [];
  let open: readonly string[] = [''];
  for (const element of elements) {
    if (element.type === 'Assertion') continue;
    // Of what is repeated, the first stands in the stretch before it.
    const isRepeated = element.type === 'Quantifier' && element.min > 0;
    const forms = formsOf(isRepeated ? element.element : element);
    if (forms !== null) open = open.flatMap((before) => forms.map((form) => before + form));
    if (forms !== null && !isRepeated) continue;
    done.push(open);
    open = [''];
  }
  return [...done, open];
}

/** All that an element can match; null where that is too much, or has no one length. */
function formsOf(element: AST.Element | AST.QuantifiableElement): readonly string[] | null {
  switch (element.type) {
    case 'Character':
      return [String.fromCodePoint(element.value)];
    case 'CharacterClass':
    case 'CharacterSet': {
      const one = new RegExp(`^${element.raw}$`);
      const forms = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter((character) => one.test(character));
      return forms.length <= MOST_FORMS ? forms : null;
    }
    case 'Quantifier': {
      const forms = element.max === 1 ? formsOf(element.element) : null;
      return forms === null ? null : ['', ...forms];
    }
    case 'Group':
    case 'CapturingGroup': {
      const alternatives = element.alternatives.map(({ elements }) => stretchesOf(elements));
      return alternatives.every((parts) => parts.length === 1) ? alternatives.flatMap(([only = []]) => only) : null;
    }
    default:
      return null;
  }
}
