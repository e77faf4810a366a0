/** A name that announces a secret, as in `{"client_secret": …}` or `CLIENT_SECRET=…`. */
export interface SecretName {
  readonly rule: string;
  /** Whether it may be a word, as passwords are; what stands after other names in a text, without quotes, must look like a token. */
  readonly isAnyValue: boolean;
  /** Whether `value` is a secret under this name, and not a placeholder or a word such as `none`. */
  covers(value: string): boolean;
}

const NUMERIC: ReadonlySet<string> = new Set(['password', 'pin', 'card-code']);

/** Whether a number is a secret under `name`: of four digits or more under a password's or PIN's name, of three on a card. */
export const coversNumber = (name: SecretName, value: number): boolean =>
  NUMERIC.has(name.rule) && Number.isInteger(value) && value >= (name.rule === 'card-code' ? 100 : 1_000) && name.covers(String(value));

/** Whether a value could have been made by a machine only: letters and digits mixed, or very long, without a space. */
export const isOpaque = (value: string): boolean =>
  value.length >= 8 &&
  !/\s/.test(value) &&
  /[A-Za-z]/.test(value) &&
  (/\d/.test(value) || (/^[A-Za-z]{24,}$/.test(value) && !isSpoken(value)));

/** Words alone, one of which speaks of a secret: OPENAI_API_KEY, newPassword, access-token. */
export const isSpoken = (value: string): boolean =>
  /^[A-Za-z][A-Za-z_.-]*$/.test(value) && /pass|pwd|secret|token|key|credential|auth/i.test(value);

const WORDS =
  /^(?:none|null|nil|undefined|true|false|yes|no|on|off|string|str|text|bytes|int|integer|number|boolean|bool|object|any|void|never|unknown|new|await|this|self|read|write|required|optional|empty|default|missing|invalid|incorrect|wrong|correct|expired|changed|updated|unset|hidden|masked|redacted|encrypted|granted|denied|allowed|approved|pending|basic|bearer|digest|prompt|include|omit|same-origin)$/i;
const PLACEHOLDER =
  /^(?:\$?\{[^}]*\}|\{\{[^}]*\}\}|\$\([^)]*\)|<[^>]*>|%\w+%|%\(\w+\)s|%s|\?|:[a-z_]+|\$\d+|\$[A-Z_][A-Z0-9_]*|\*+|x{3,}|\.{3,}|-+|_+|#+|\u2022+|\W{0,4}(?:redacted|masked|filtered|hidden)\W{0,4})$/i;

/** Whether a value is there, and no placeholder or word such as `none`. */
export const isReal = (value: string): boolean =>
  value.trim() !== '' && (value.length > 200 || (!PLACEHOLDER.test(value.trim()) && !WORDS.test(value.trim())));
const isRealUnspoken = (value: string): boolean => isReal(value) && !isSpoken(value);
const isRealOpaque = (value: string): boolean => isReal(value) && isOpaque(value);

interface Row extends SecretName {
  /** Of the name in lower case, words joined by `_`, digits at its end left out. */
  readonly names: RegExp;
}

const row = (rule: string, isAnyValue: boolean, names: RegExp, covers: (value: string) => boolean): Row => ({
  rule,
  isAnyValue,
  names,
  covers,
});

// The first that matches decides. Names are matched at their end: `password_required` and `token_type` announce no secret.
const ROWS: readonly Row[] = [
  // PWD is the working directory of a shell.
  row('password', true, /(?:^|_)pwd$/, (value) => isReal(value) && !/^(?:[~.]{0,2}[/\\]|[A-Za-z]:[/\\])/.test(value)),
  row(
    'password',
    true,
    /(?:pass_?word|passwd|pass_?phrase|pass_?code|pwd)s?(?:_(?:hash|digest|confirm|confirmation|again|repeat))?$/,
    isReal,
  ),
  row(
    'password',
    true,
    /^(?:(?:db|database|user|admin|root|mysql|pg|postgres|redis|mongo|smtp|imap|ftp|ssh|mail|email|proxy|http|login|key|keystore|ldap|wifi|sudo)_?)?pass(?:in|out)?$/,
    isReal,
  ),
  row(
    'pin',
    true,
    /(?:^|_)(?:pin|pin_code|pin_number|[th]?otp|(?:otp|mfa|two_factor|one_time|sms|verification|recovery|backup)_(?:code|password))$/,
    (value) => /^\d{4,10}$/.test(value),
  ),
  row('card-code', true, /(?:^|_)(?:cvv|cvc|card_(?:verification|security)_(?:code|value))$/, (value) => /^\d{3,4}$/.test(value)),
  row('recovery-code', true, /(?:seed|recovery|mnemonic)_phrase$|(?:^|_)mnemonic$/, isReal),
  row('recovery-code', false, /(?:recovery|backup)_(?:code|key)s?$/, isRealOpaque),
  row('secret', false, /secret(?:_(?:value|string|text))?$/, isRealUnspoken),
  row('secret', false, /(?:^|_)secrets$|secret_id$/, isRealOpaque),
  row('private-key', false, /private_?key$/, isRealUnspoken),
  row(
    'api-key',
    false,
    /(?:api|access|secret|encryption|decryption|signing|master|account|shared)_?keys?$|access_?key_?id$/,
    isRealUnspoken,
  ),
  row(
    'api-key',
    false,
    /(?:client|app|application|license|deploy|ssh|session|auth|service|storage|subscription|consumer|write|admin|hmac|root|project_api)_?key$/,
    isRealOpaque,
  ),
  row('authorization', false, /(?:^|_)authorization$|^bearer$|(?:^|_)basic_auth$/, (value) =>
    isRealUnspoken(value.replace(/^[\w-]+ +/, '')),
  ),
  row('cookie', false, /(?:^|_)cookies?$/, (value) => /^[^\s=;"']{1,64}=/.test(value)),
  row('credential', false, /(?:^|_)credentials?$/, isRealOpaque),
  // Places in a list, and pieces of text as models count them.
  row(
    'token',
    false,
    /(?:^|_)(?:page|next|prev|previous|continuation|pagination|cursor|sync|resume|start|end|stop|eos|bos|pad|unk|mask|sep|cls|special|first|last)_?token$/,
    () => false,
  ),
  row(
    'token',
    false,
    /(?:access|refresh|auth|authentication|bearer|api|session|secret|security|private|personal|deploy|job|bot|oauth|[cx]srf|registration|runner|trigger|feed|webhook|verification|reset|invite|github|gitlab|npm|slack|vault)_?token(?:_(?:value|secret))?$|(?:^|_)id_?token$/,
    isRealUnspoken,
  ),
  row('token', false, /token$/, isRealOpaque),
];

const HINT = /pass|pwd|secret|token|key|otp|pin|cv[vc]|authorization|cookie|credential|mnemonic|phrase|bearer|_auth|code/i;

// The same few names come with every event.
const known = new Map<string, SecretName | null>();
const MOST_KNOWN = 2_000;

/**
 * What a name announces, in whatever case and however its words are joined; null when it announces no secret. A name out of which a
 * secret was taken announces nothing: the marker speaks of one.
 */
export function secretName(name: string): SecretName | null {
  if (name.length > 64 || !HINT.test(name) || name.includes('[REDACTED:')) return null;
  const remembered = known.get(name);
  if (remembered !== undefined) return remembered;
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z\d]+/g, '_')
    .replace(/_?\d*_?$/, '')
    .toLowerCase();
  const found = ROWS.find(({ names }) => names.test(words)) ?? null;
  if (known.size >= MOST_KNOWN) known.clear();
  // A copy: a name read off a text is a view of it, and would keep all of the text.
  known.set([...name].join(''), found);
  return found;
}
