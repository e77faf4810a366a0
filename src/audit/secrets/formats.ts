import { maxSecrets, wholeText, type SecretSpan } from './spans.js';

/** A published form of a token: how it begins, and what of the rest is needed to be sure. Sources of regular expressions. */
export interface SecretFormat {
  readonly rule: string;
  readonly lead: string;
  readonly body: string;
  /** What every such token holds, and few other texts do. */
  readonly hint: string;
}

const format = (rule: string, lead: string, body: string, hint = lead): SecretFormat => ({ rule, lead, body, hint });

// In the forms that the issuers publish, and that scanners of repositories look for; the library's rules know the others. After
// an open-ended body no condition follows: a form is found or not in one step, and never tried again with less.
export const FORMATS: readonly SecretFormat[] = [
  format('aws-access-key', '(?:AKIA|ASIA|ABIA|ACCA)', '[A-Z0-9]{16}(?![A-Za-z0-9])'),
  format('anthropic', 'sk-ant-', '[\\w-]{20,}'),
  format('openai', 'sk-(?:proj|svcacct|admin)-', '[\\w-]{32,}'),
  format('api-key', '(?<![\\w-])sk-', '(?=[A-Za-z_-]{0,31}\\d)[\\w-]{32,}'),
  format('github', '(?:gh[pousr]|github_pat)_', '\\w{36,}'),
  format('gitlab', 'gl(?:pat|ptt|dt|rtr?|cbt|ft|imt|agent|oas|soat|ffct|wt)-', '[\\w.-]{20,}'),
  format('gitlab', 'GR1348941', '[\\w-]{20,}'),
  format('slack', 'xox[a-z](?:\\.xox[a-z])?-', '[\\w-]{10,}'),
  format('stripe', '(?:sk|rk)_(?:live|test)_', '[A-Za-z0-9]{16,}'),
  format('webhook-secret', 'whsec_', '[A-Za-z0-9+/]{24,}={0,2}'),
  format('npm', 'npm_', '[A-Za-z0-9]{36,}'),
  format('pypi', 'pypi-', '[\\w-]{16,}'),
  format('rubygems', 'rubygems_', '[a-f0-9]{48}'),
  format('google', 'AIza', '[\\w-]{35}'),
  format('google', 'GOCSPX-', '[\\w-]{28}'),
  format('google', 'ya29\\.', '[\\w-]{20,}'),
  format('azure', '[\\w~.-]{3}\\dQ~', '[\\w~.-]{31,34}', '\\dQ~'),
  format('sendgrid', 'SG\\.', '[\\w-]{22}\\.[\\w-]{43}'),
  format('twilio', 'SK', '[0-9a-f]{32}(?![A-Za-z0-9])', 'SK[0-9a-f]{8}'),
  format('mailchimp', '[0-9a-f]{32}-us', '\\d{1,2}(?!\\w)', '-us\\d'),
  format('telegram', '\\d{8,10}:', 'AA[\\w-]{33}', ':AA'),
  format('digitalocean', 'do[opr]_v1_', '[a-f0-9]{64}'),
  format('heroku', 'HRKU-', '[\\w-]{36,}'),
  format('cloudflare', 'cf(?:k|ut|at)_', '[A-Za-z0-9]{40,}'),
  format('tailscale', 'tskey-', '[a-z]{2,20}-[\\w-]{16,}'),
  format('terraform', '[A-Za-z0-9]{14}\\.atlasv1\\.', '[\\w-]{60,}', 'atlasv1\\.'),
  format('pulumi', 'pul-', '[a-f0-9]{40}'),
  format('postman', 'PMAK-', '[a-f0-9]{24}-[a-f0-9]{34}'),
  format('atlassian', 'AT(?:ATT|CTT|BB)[A-Z0-9]?', '[\\w=-]{32,}'),
  format('new-relic', 'NRAK-', '[A-Z0-9]{27}'),
  format('sentry', 'sntry[su]_', '[\\w+/=-]{32,}'),
  format('doppler', 'dp\\.(?:pt|st|ct|sa|scim|audit)\\.', '[\\w.-]{40,}'),
  format('supabase', '(?:sbp|sb_secret)_', '[\\w-]{20,}'),
  format('planetscale', 'pscale_(?:tkn|pw|oauth)_', '[\\w.-]{32,}'),
  format('perplexity', 'pplx-', '[A-Za-z0-9]{40,}'),
  format('xai', 'xai-', '[A-Za-z0-9]{60,}'),
  format('replicate', 'r8_', '[A-Za-z0-9]{37}'),
  format('langsmith', 'lsv2_(?:pt|sk)_', '[a-f0-9]{32}_[a-f0-9]{10}'),
  format('age', 'AGE-SECRET-KEY-', '1[0-9A-Z]{58}'),
  format('vault', 'hv[sbr]\\.', '[\\w-]{24,}'),
  // JSON Web Tokens, signed (RFC 7519), without a signature, or encrypted with their five parts (RFC 7516).
  // One begins where a word begins, so that a long word is read once.
  format('jwt', '(?<![\\w-])eyJ', '[\\w-]{8,}\\.[\\w-]{2,}(?:\\.[\\w-]*){1,3}', 'eyJ'),
];

const ANY_FORMAT = new RegExp(`(?<![A-Za-z0-9])(?:${FORMATS.map(({ lead, body }) => lead + body).join('|')})`, 'g');
const RULES = FORMATS.map(({ rule, lead, body }) => ({ rule, whole: new RegExp(`^(?:${lead}${body})$`) }));

/** Tokens of a published form. */
export function formatsIn(text: string): readonly SecretSpan[] {
  const spans: SecretSpan[] = [];
  for (const { index, 0: token } of text.matchAll(ANY_FORMAT)) {
    const rule = RULES.find(({ whole }) => whole.test(token))?.rule ?? 'token';
    if (spans.push({ start: index, end: index + token.length, rule }) > maxSecrets(text)) return wholeText(text);
  }
  return spans;
}

const SEPARATORS = ['_', '-', '\\.'];

/**
 * Whether a text may hold a token that `formatsIn` finds, or what one of `leads` finds. Two microseconds a kilobyte: where a
 * beginning ends with one of three characters, the engine looks for those, and only there back for the beginnings.
 */
export function formatTrigger(leads: readonly string[]): (text: string) => boolean {
  const hints = [...leads, ...FORMATS.map(({ hint }) => hint)];
  const endingWith = (separator: string) => hints.filter((hint) => hint.endsWith(separator)).join('|');
  const atSeparator = new RegExp(SEPARATORS.map((separator) => `${separator}(?<=${endingWith(separator)})`).join('|'));
  const elsewhere = new RegExp(hints.filter((hint) => !SEPARATORS.some((separator) => hint.endsWith(separator))).join('|'));
  return (text) => atSeparator.test(text) || elsewhere.test(text);
}
