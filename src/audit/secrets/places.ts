import { isOpaque, isReal, isSpoken } from './names.js';
import { maxSecrets, wholeText, type SecretSpan } from './spans.js';
import { endOf } from './values.js';

const ADDRESS = /:\\{0,4}\/\\{0,4}\//;
export const PLACE = /[Bb]earer[ \t]|BEARER[ \t]|PRIVATE KEY|(?:word|code|PIN) (?:is|was|to)[ :]|curl|sshpass|mysql|mariadb|redis-cli/;

/** Whether a text may hold what `placesIn` finds; `isSuspect` when it holds a needle, as all but an address does. */
export const mayHavePlaces = (text: string, isSuspect: boolean): boolean =>
  (text.includes('@') && ADDRESS.test(text)) || (isSuspect && PLACE.test(text));

/** Secrets that are known by where they stand: in an address, after Bearer, in a key file, among the arguments of a command. */
export const placesIn = (text: string): readonly SecretSpan[] => [
  ...keyFiles(text),
  ...after(text, ADDRESS_PASSWORD, { rule: 'url-password', isSecret: isReal }),
  ...after(text, ADDRESS_TOKEN, { rule: 'url-password', isSecret: isOpaque }),
  ...after(text, BEARER, { rule: 'bearer', isSecret: (token) => isOpaque(token) && !isSpoken(token) }),
  ...after(text, PROSE, { rule: 'password', isSecret: isReal }),
  ...commandArguments(text),
];

// `scheme://user:password@host`; no part of it can reach over the `//` of another address.
const ADDRESS_PASSWORD = /(:\\{0,4}\/\\{0,4}\/[^\s/?#"'`<>@:\\]{0,256}:)([^\s/?"'`<>\\]{1,512})(?=@[^\s@])/g;
const ADDRESS_TOKEN = /(:\\{0,4}\/\\{0,4}\/)([^\s/?#"'`<>@:\\]{20,256})(?=@[^\s@])/g;
// “The password is …”, where what follows is no word.
const PROSE =
  /(\b(?:[Pp]ass(?:word|code)|PIN)(?: is| was| to):?[ \t]{1,3}["'`]?)((?=[^\s"'`]{0,64}?\d)[^\s"'`,;<>]{3,127}[^\s"'`,;<>.?!])/g;
const BEARER = /(\b(?:[Bb]earer|BEARER)[ \t]{1,4}["']?)([\w.~+/=-]{8,})/g;

interface Place {
  readonly rule: string;
  isSecret(value: string): boolean;
}

/** The second group of each match, where it is a secret; the match begins with the first. Very many are not taken out one by one. */
function after(text: string, pattern: RegExp, { rule, isSecret }: Place): readonly SecretSpan[] {
  const spans: SecretSpan[] = [];
  for (const { index, 1: before = '', 2: secret = '' } of text.matchAll(pattern)) {
    if (!isSecret(secret)) continue;
    const start = index + before.length;
    if (spans.push({ start, end: start + secret.length, rule }) > maxSecrets(text)) return wholeText(text);
  }
  return spans;
}

const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const KEY_END = /-----END [A-Z0-9 ]{0,60}-----/y;
// Of a key that was cut off: its headers and as many lines of Base64 as there are.
const KEY_BODY =
  /\s{0,8}(?:[\w-]{1,40}: [^\n]{0,200}\n\s{0,8}){0,4}[A-Za-z0-9+/=]{32,}(?:\s{1,8}[A-Za-z0-9+/=]{16,})*(?:\s{1,8}[A-Za-z0-9+/]+={1,2})?/y;
const LONGEST_KEY = 20_000;

/** Private keys in PEM (RFC 7468) and their relatives of OpenSSH and PGP, from the first line to the last. */
function keyFiles(text: string): readonly SecretSpan[] {
  const spans: SecretSpan[] = [];
  let closing = 0;
  for (const { index, 0: header } of text.matchAll(KEY_BEGIN)) {
    const body = index + header.length;
    if (spans.length > maxSecrets(text)) return wholeText(text);
    if (index < (spans.at(-1)?.end ?? 0)) continue;
    // Looked for once, not from every beginning: there may be many beginnings without an end.
    if (closing !== -1 && closing < body) closing = text.indexOf('-----END ', body);
    const isWhole = closing !== -1 && closing - body <= LONGEST_KEY;
    const end = isWhole ? endOf(KEY_END, text, closing) : endOf(KEY_BODY, text, body);
    if ((isWhole ? closing : end) - body >= 20) spans.push({ start: index, end, rule: 'private-key' });
  }
  return spans;
}

const COMMAND = /\b(?:curl|sshpass|mysql(?:dump|admin)?|mariadb|redis-cli)\b/g;
const LONGEST_COMMAND = 1_000;

/** `user:password` and `password` as these commands take them. */
const ARGUMENTS: Readonly<Record<string, RegExp>> = {
  curl: /(\s(?:-u|--user|-U|--proxy-user)[ =]?["']?[^\s:"'`]{1,64}:)([^\s"'`]{1,200})/g,
  sshpass: /(\s-p ?["']?)([^\s"'`]{1,200})/g,
  'redis-cli': /(\s(?:-a|--pass) ["']?)([^\s"'`]{1,200})/g,
};
const MYSQL_ARGUMENT = /(\s-p["']?)([^\s"'`]{1,200})/g;

function commandArguments(text: string): readonly SecretSpan[] {
  const commands: RegExpExecArray[] = [];
  for (const command of text.matchAll(COMMAND)) if (commands.push(command) > maxSecrets(text)) return wholeText(text);
  return commands.flatMap(({ index, 0: command }, place) => {
    const part = text.slice(index, Math.min(commands[place + 1]?.index ?? text.length, index + LONGEST_COMMAND));
    const isSecret = (value: string) => !value.startsWith('$') && isReal(value);
    return after(part, ARGUMENTS[command] ?? MYSQL_ARGUMENT, { rule: 'password', isSecret }).map((span) => ({
      ...span,
      start: span.start + index,
      end: span.end + index,
    }));
  });
}
