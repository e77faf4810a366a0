/** A secret in a text: from `start` to before `end`, in UTF-16 code units, and the rule that knows it (lower case, digits, hyphens). */
export interface SecretSpan {
  readonly start: number;
  readonly end: number;
  readonly rule: string;
}

/** Finds secrets in a text, in any order; they may overlap. The same text always has the same secrets. Its work grows with the length alone. */
export type SecretScanner = (text: string) => readonly SecretSpan[];

/** Secrets that are known by their form alone, as a library knows them. */
export interface KnownSecrets {
  /** Sources of regular expressions. A text in which none of them is found holds nothing that `scan` would report. */
  readonly leads: readonly string[];
  readonly scan: SecretScanner;
}

/** What stands in the place of a secret. */
export const marker = (rule: string): string => `[REDACTED:${rule}]`;

const MARKERS = /\[REDACTED:[a-z0-9-]{1,40}\]/g;

/** The rule of a text that holds more candidates than are looked at one by one, and is withheld as a whole. */
export const TOO_MANY = 'too-many-secrets';

/** The most secrets of one kind that are taken out of a text one by one: a hundred, and one for each hundred characters. */
export const maxSecrets = (text: string): number => 100 + text.length / 100;

/** All of a text, as one secret. */
export const wholeText = (text: string): readonly SecretSpan[] => [{ start: 0, end: text.length, rule: TOO_MANY }];

/** Whether `text` is markers and nothing else. */
export const isRedacted = (text: string): boolean => text.startsWith('[REDACTED:') && text.replaceAll(MARKERS, '') === '';

/**
 * The text with a marker in the place of each secret: the very same string when it holds none. Redacting it once more changes nothing.
 *
 * Where a marker stands instead, a rule may see what it did not see before, so we look again. A text that still goes on is
 * withheld as a whole.
 */
export function redactText(scan: SecretScanner, text: string): string {
  const once = replaced(text, spansIn(scan, text));
  if (once === text) return text;
  const twice = replaced(once, spansIn(scan, once));
  return twice === once || spansIn(scan, twice).length === 0 ? twice : marker(TOO_MANY);
}

/** The rule of the first secret in `text`, null when it holds none. */
export const findsSecret = (scan: SecretScanner, text: string): string | null => spansIn(scan, text)[0]?.rule ?? null;

/** Rules see empty lines in the place of markers, for which no rule takes them, and which few of them reach across. */
const spansIn = (scan: SecretScanner, text: string): readonly SecretSpan[] =>
  merged(scan(text.includes('[REDACTED:') ? text.replaceAll(MARKERS, (mark) => '\n'.repeat(mark.length)) : text));

/** In order, without overlaps. Of spans that overlap, the rule of the first counts; of those that begin together, that of the longest. */
function merged(spans: readonly SecretSpan[]): readonly SecretSpan[] {
  if (spans.length < 2) return spans;
  const result: SecretSpan[] = [];
  for (const span of spans.toSorted((left, right) => left.start - right.start || right.end - left.end)) {
    const last = result.at(-1);
    if (last === undefined || span.start >= last.end) result.push(span);
    else if (span.end > last.end) result[result.length - 1] = { ...last, end: span.end };
  }
  return result;
}

function replaced(text: string, spans: readonly SecretSpan[]): string {
  if (spans.length === 0) return text;
  let from = 0;
  const parts = spans.map(({ start, end, rule }) => {
    const part = text.slice(from, start) + marker(rule);
    from = end;
    return part;
  });
  return parts.join('') + text.slice(from);
}
