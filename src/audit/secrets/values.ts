import { isOpaque, isSpoken, type SecretName } from './names.js';
import type { SecretSpan } from './spans.js';

// What may stand between a name and its value: `=`, `:=`, `=>`, `==`, a list's bracket, the letters before a string in code.
const OPENING = /[:=]?[=>]{0,2}([ \t]{0,8})(?:\[[ \t]{0,4})?(?:[bfru@$]{1,2}(?=["'`]))?(\\{0,8})(["'`])?/iy;

/** How much of a value without quotes is looked at; one that is a secret is taken whole. */
const LOOKED_AT = 128;
/** Quotes further apart than this do not belong together. */
const LONGEST_QUOTED = 4_096;

/** The secret after a separator, or after a flag; null where none stands. */
export function secretValue(text: string, at: number, name: SecretName): SecretSpan | null {
  OPENING.lastIndex = at;
  const [, spaces = '', backslashes = '', quote] = OPENING.exec(text) ?? [];
  const start = OPENING.lastIndex;
  if (quote !== undefined) return quotedValue(text, { start, quote, backslashes: backslashes.length }, name);
  if (name.rule === 'authorization') return headerValue(text, start, name);
  if (name.rule === 'cookie') return name.covers(text.slice(start, start + LOOKED_AT)) ? until(LINE, text, start, name) : null;
  // What follows a flag may be the next one.
  if (text[at] === ' ' && text[start] === '-') return null;
  return bareValue(text, { start, isTight: spaces === '' && text[at] === '=' && text[at - 1] !== ' ' }, name);
}

/** The secret that is the content of an XML element; null where it is none. */
export function elementValue(text: string, start: number, name: SecretName): SecretSpan | null {
  const end = endOf(CONTENT, text, start);
  return text[end] === '<' && name.covers(text.slice(start, end)) ? { start, end, rule: name.rule } : null;
}

/** Where what the sticky `pattern` matches at `at` ends. */
export function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

const CONTENT = /[^<\n]{1,4096}/y;
const LINE = /[^\r\n"'`\\]+/y;
const WORD = /[^\s"'`,;<>\\]{1,128}/y;
const BARE = /[^\s"'`,;&|<>\\]+/y;
const PART = new RegExp(`[^\\s"'\`,;&|<>\\\\]{0,${LOOKED_AT}}`, 'y');
// Whether it is a token is told by its part up to the next separator: each is then read once, however many stand in a row.
const OPAQUE = /[^\s"'`,;&|<>()[\]{}\\=:]+={0,2}/y;
const MORE = /(?:[:=]+[^\s"'`,;&|<>()[\]{}\\=:]+)*/y;

function until(pattern: RegExp, text: string, start: number, { rule }: SecretName): SecretSpan | null {
  const end = endOf(pattern, text, start);
  return end === start ? null : { start, end, rule };
}

interface Quote {
  readonly start: number;
  readonly quote: string;
  readonly backslashes: number;
}

function quotedValue(text: string, opening: Quote, name: SecretName): SecretSpan | null {
  const { start } = opening;
  const closed = endOfQuoted(text, opening);
  // A text that was cut off has no closing quote.
  const end = closed === -1 || closed - start > LONGEST_QUOTED ? endOf(LINE, text, start) : closed;
  return end > start && name.covers(text.slice(start, end)) ? { start, end, rule: name.rule } : null;
}

/** Where the next quote of the same kind stands that is not escaped more deeply than the opening one; -1 where none does. */
function endOfQuoted(text: string, { start, quote, backslashes }: Quote): number {
  for (let at = text.indexOf(quote, start); at !== -1; at = text.indexOf(quote, at + 1)) {
    let escapes = 0;
    while (escapes < at - start && text[at - 1 - escapes] === '\\') escapes++;
    if (backslashes === 0 ? escapes % 2 === 0 : escapes <= backslashes) return at - Math.min(escapes, backslashes);
  }
  return -1;
}

const SCHEME =
  /(?:Basic|Bearer|Token|Digest|Negotiate|NTLM|OAuth|DPoP|Hawk|HMAC|SSWS|GenieKey|GoogleLogin|Splunk|Key|Api-?Key|AWS4-HMAC-SHA256)[ \t]+/iy;

/** What follows a known scheme, to the end of the line; without a scheme, a word that looks like a token. */
function headerValue(text: string, start: number, name: SecretName): SecretSpan | null {
  const credentials = endOf(SCHEME, text, start);
  const word = text.slice(credentials, endOf(WORD, text, credentials));
  if (credentials === start) return isOpaque(word) ? until(BARE, text, start, name) : null;
  const isWritten = word.length < 6 || !/[\d=+/]|[a-z][A-Z]/.test(word);
  return isWritten || !name.covers(word) ? null : until(LINE, text, credentials, name);
}

interface Start {
  readonly start: number;
  /** Whether the value stands right at a `=`, as in shells and addresses: nobody writes prose like that. */
  readonly isTight: boolean;
}

function bareValue(text: string, at: Start, name: SecretName): SecretSpan | null {
  return name.isAnyValue ? barePassword(text, at, name) : bareToken(text, at.start, name);
}

function barePassword(text: string, { start, isTight }: Start, name: SecretName): SecretSpan | null {
  const part = withoutClosers(text.slice(start, endOf(PART, text, start)));
  const core = part.replace(/[^A-Za-z\d]+$/, '') || part;
  if (!name.covers(core) || CODE.test(part) || isSpoken(core)) return null;
  const end = part.length < LOOKED_AT ? start + part.length : endOf(BARE, text, start);
  const isWord = /^[A-Za-z_-]+$/.test(core);
  return isWord && (TYPE.test(core) || (!isTight && !isLast(text, end))) ? null : { start, end, rule: name.rule };
}

// A call, an index, an object, a template or a chain of names: `getpass()`, `os.environ[`, `{`, `${{`, `config.db.password`.
const CODE = /^(?:[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*)*[([]|\$?[{([]|![A-Za-z])|^[A-Za-z_$]+(?:(?:\?\.|\.|->|::)[A-Za-z_$]+)+$/;
const TYPE = /^(?:[A-Z][a-z]+){2,}$/;

function bareToken(text: string, start: number, name: SecretName): SecretSpan | null {
  const end = endOf(OPAQUE, text, start);
  const value = text.slice(start, end);
  const isMade = value.length >= 32 || (value.length >= 6 && /\d/.test(value) && /\D/.test(value));
  if (!isMade || !name.covers(value) || CHAIN.test(value) || text[end] === '(' || text[end] === '[') return null;
  return { start, end: endOf(MORE, text, end), rule: name.rule };
}

// Of names with digits in them: `reader.int32`, `util_js_1.keys`; and what a bundler calls the second of a name: `Token$1`.
const CHAIN = /^[A-Za-z_$][\w$]{0,19}(?:(?:\.|->|::)[A-Za-z_$][\w$]{0,39})+$|^[A-Za-z_]+\$\d+$/;

const NOTHING_MORE = /[ \t]*(?:$|[\r\n,;|&)\]}#"'`\\<])/y;

/** Whether nothing more stands in the line: what goes on in words is prose. */
function isLast(text: string, end: number): boolean {
  NOTHING_MORE.lastIndex = end;
  return NOTHING_MORE.test(text);
}

/** Without brackets at the end that close what was opened before the value. */
function withoutClosers(value: string): string {
  let end = value.length;
  while (end > 0 && /[)\]}]/.test(value[end - 1] ?? '') && !/[([{]/.test(value)) end--;
  return value.slice(0, end);
}
