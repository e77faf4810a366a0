import { isOpaque, secretName, type SecretName } from './names.js';
import { wholeText, type SecretSpan } from './spans.js';
import { elementValue, endOf, secretValue } from './values.js';

// The ends of names that announce a secret. What stands before them is read off the text, so that no pattern is open at both ends.
export const ENDS =
  '(?:passw(?:or)?d|passphrase|passcode|pwd|pass|pass(?:in|out)|secret|token|[\\w?& -]key|key_?id|authorization|cookie|credential|otp|pin|cv[vc]|mnemonic|phrase|_code|[?&-](?:sig|signature)|secret_(?:value|string|id)|_(?:hash|confirmation))s?';

// `name=`, `name:`, `"name":` and `\"name\":` at the separator; `<name>` at its end; `--name value` at the last hyphen.
const NAMED = new RegExp(
  `[:=](?<=${ENDS}\\d{0,2}\\\\{0,8}["'\`]?[ \\t]{0,8}[:=])` +
    `|>(?<=<[\\w:.-]{0,48}${ENDS}>)` +
    `|-(?<=(?:^|[\\s"'])--?)(?=[a-z])(?=[\\w-]{0,40}?${ENDS}[ \\t])`,
  'gi',
);

/** Whether a text may hold what `assignmentsIn` finds. */
export function mayAssign(text: string): boolean {
  NAMED.lastIndex = 0;
  return NAMED.test(text);
}

/** The most names of secrets that are read in a text. Lists of the tokens of a model have many, with values that are no secrets. */
const maxNames = (text: string): number => 1_000 + text.length / 60;

/** Values after a name that announces a secret: in code, JSON, YAML, headers, addresses, XML and command lines. */
export function assignmentsIn(text: string): readonly SecretSpan[] {
  const spans: SecretSpan[] = [];
  let left = maxNames(text);
  NAMED.lastIndex = 0;
  for (let match = NAMED.exec(text); match !== null; match = NAMED.exec(text)) {
    if (left-- <= 0) return wholeText(text);
    const span = assignmentAt(text, match.index);
    if (span === null) continue;
    spans.push(span);
    NAMED.lastIndex = span.end;
  }
  return spans;
}

function assignmentAt(text: string, at: number): SecretSpan | null {
  if (text[at] === '-') {
    const nameEnd = endOf(WORD, text, at + 1);
    const name = secretName(text.slice(at + 1, nameEnd));
    return name === null ? null : secretValue(text, nameEnd, name);
  }
  const nameEnd = endOfName(text, at);
  const nameStart = startOfName(text, nameEnd);
  const written = text.slice(nameStart, nameEnd);
  const name = secretName(written) ?? (isSignature(text[nameStart - 1], written) ? SIGNATURE : null);
  if (name === null) return null;
  return text[at] === '>' ? elementValue(text, at + 1, name) : secretValue(text, at, name);
}

const WORD = /[\w-]*/y;

/** Back from a separator over white space, a quote and its backslashes. */
function endOfName(text: string, at: number): number {
  let end = at;
  while (text[end - 1] === ' ' || text[end - 1] === '\t') end--;
  if (text[end - 1] === '"' || text[end - 1] === "'" || text[end - 1] === '`') end--;
  while (text[end - 1] === '\\') end--;
  return end;
}

const LONGEST_NAME = 64;
const IN_NAME = new Set(
  [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-'].map((character) => character.charCodeAt(0)),
);
const SPACE = 32;

/** Back from its end over a name: one word, or up to three with single spaces between them (“Secret Access Key”). */
function startOfName(text: string, end: number): number {
  let start = end;
  for (let spaces = 0; end - start < LONGEST_NAME; start--) {
    const before = text.charCodeAt(start - 1);
    if (IN_NAME.has(before)) continue;
    if (before !== SPACE || spaces === 2 || !IN_NAME.has(text.charCodeAt(start - 2))) break;
    spaces++;
  }
  return start;
}

// What makes an address a key to whoever has it, as in https://host/file?sig=…
const SIGNATURE: SecretName = { rule: 'url-signature', isAnyValue: false, covers: (value) => value.length >= 16 && isOpaque(value) };

const isSignature = (before: string | undefined, name: string): boolean =>
  (before === '?' || before === '&') && /^(?:key|sig|(?:x-(?:amz|goog)-)?signature)$/i.test(name);
