// Put together at run time: no scanner of repositories shall find a token in these files, not even one that opens nothing.

const MIXED = 'aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY';
const HEX = '0123456789abcdef';
const UPPER = 'ABC3DEF5GHJ7KLM2NPQ4';

const fill = (characters: string, length: number): string => characters.repeat(Math.ceil(length / characters.length)).slice(0, length);

/** Letters of both cases and digits. */
export const mixed = (length: number): string => fill(MIXED, length);
export const hex = (length: number): string => fill(HEX, length);
const upper = (length: number): string => fill(UPPER, length);
const digits = (length: number): string => fill('1234567890', length);
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');

export const aJwt = (): string => `ey${'J'}${mixed(30)}.ey${'J'}${mixed(40)}.${mixed(43)}`;

/** Tokens of a form of their own, with the rule that is to know each. */
export const tokens: readonly (readonly [rule: string, token: string])[] = [
  ['aws-access-key', `AK${'IA'}${upper(16)}`],
  ['aws-access-key', `AS${'IA'}${upper(16)}`],
  ['anthropic', `sk-${'ant'}-api03-${mixed(93)}AA`],
  ['anthropic', `sk-${'ant'}-oat01-${mixed(60)}`],
  ['api-key', `sk${'-'}${hex(32)}`],
  ['api-key', `sk${'-'}or-v1-${hex(64)}`],
  ['openai', `sk${'-'}proj-${mixed(74)}T3Blbk${'FJ'}${mixed(74)}`],
  ['openai', `sk${'-'}admin-${mixed(40)}`],
  ['openai', `sk${'-'}${mixed(20)}T3Blbk${'FJ'}${mixed(20)}`],
  ['github', `gh${'p'}_${mixed(36)}`],
  ['github', `gh${'s'}_${mixed(40)}`],
  ['github', `github${'_pat'}_${mixed(82)}`],
  ['gitlab', `gl${'pat'}-${mixed(20)}`],
  ['gitlab', `gl${'rt'}-${mixed(20)}`],
  ['gitlab', `gl${'cbt'}-1a_${mixed(20)}`],
  ['gitlab', `GR13${'48941'}${mixed(20)}`],
  ['slack', `xox${'b'}-123456789012-123456789012-${mixed(24)}`],
  ['slack', `xap${'p'}-1-A0123-1234567890-${mixed(40)}`],
  ['slack', `xox${'e'}.xox${'p'}-1-${mixed(60)}`],
  ['slack', `https://hooks.${'slack'}.com/services/T0123ABC/B0123ABC/${mixed(24)}`],
  ['stripe', `sk_${'live'}_${mixed(24)}`],
  ['stripe', `rk_${'test'}_${mixed(99)}`],
  ['webhook-secret', `wh${'sec'}_${mixed(32)}`],
  ['npm', `np${'m'}_${mixed(36)}`],
  ['pypi', `py${'pi'}-AgEIcHlwaS5vcmc${mixed(70)}`],
  ['rubygems', `ruby${'gems'}_${hex(48)}`],
  ['google', `AI${'za'}${mixed(35)}`],
  ['google', `GOC${'SPX'}-${mixed(28)}`],
  ['google', `ya${'29'}.${mixed(60)}`],
  ['azure', `aB~7${'Q~'}${mixed(34)}`],
  ['sendgrid', `S${'G'}.${mixed(10)}-${mixed(11)}.${mixed(21)}-${mixed(21)}`],
  ['sendgrid', `S${'G'}.${mixed(22)}.${mixed(43)}`],
  ['twilio', `S${'K'}${hex(32)}`],
  ['mailchimp', `${hex(32)}-${'us'}12`],
  ['telegram', `${digits(10)}:${'AA'}${mixed(33)}`],
  ['digitalocean', `do${'p'}_v1_${hex(64)}`],
  ['heroku', `HR${'KU'}-${mixed(40)}`],
  ['cloudflare', `cf${'ut'}_${mixed(40)}${hex(8)}`],
  ['tailscale', `ts${'key'}-auth-${mixed(12)}-${mixed(20)}`],
  ['terraform', `${mixed(14)}.atlas${'v1'}.${mixed(64)}`],
  ['pulumi', `pu${'l'}-${hex(40)}`],
  ['postman', `PM${'AK'}-${hex(24)}-${hex(34)}`],
  ['atlassian', `ATA${'TT'}3${mixed(120)}=${hex(8)}`],
  ['new-relic', `NR${'AK'}-${upper(27)}`],
  ['sentry', `sntr${'ys'}_${mixed(64)}`],
  ['doppler', `d${'p'}.pt.${mixed(43)}`],
  ['supabase', `sb${'p'}_${hex(40)}`],
  ['planetscale', `pscale${'_tkn'}_${mixed(43)}`],
  ['perplexity', `pp${'lx'}-${mixed(48)}`],
  ['xai', `xa${'i'}-${mixed(80)}`],
  ['replicate', `r${'8'}_${mixed(37)}`],
  ['langsmith', `ls${'v2'}_pt_${hex(32)}_${hex(10)}`],
  ['age', `AGE-SECRET-${'KEY'}-1${fill('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)}`],
  ['vault', `hv${'s'}.${mixed(95)}`],
  ['jwt', aJwt()],
  ['jwt', `ey${'J'}${mixed(20)}.ey${'J'}${mixed(20)}.`],
  // Known by the library alone.
  ['1password', `op${'s'}_${base64({ email: 'a@example.com', secretKey: mixed(102) })}`],
  ['databricks', `da${'pi'}${hex(32)}`],
  ['docker', `dckr${'_pat'}_${mixed(27)}`],
  ['figma', `fig${'d'}_${mixed(40)}`],
  ['grafana', `gl${'c'}_${base64({ o: '1', n: mixed(60) }).replaceAll('=', '')}`],
  ['grafana', `gl${'sa'}_${mixed(32)}_${hex(8)}`],
  ['groq', `gs${'k'}_${mixed(52)}`],
  ['huggingface', `h${'f'}_${fill('aBcDeFgHiJkLmNoPqRsTuVwXyZ', 34)}`],
  ['linear', `lin${'_api'}_${mixed(40)}`],
  ['notion', `nt${'n'}_${digits(11)}${mixed(35)}`],
  ['shopify', `shp${'at'}_${hex(32)}`],
  ['vercel', `vc${'p'}_${mixed(24)}`],
];

/** A private key in PEM, its lines joined as they are in a file or, escaped, in a string. */
export const aPrivateKey = (kind: string, lineBreak = '\n'): string =>
  [`-----BEGIN ${kind}PRIVATE ${'KEY'}-----`, ...Array.from({ length: 6 }, () => mixed(64)), `-----END ${kind}PRIVATE ${'KEY'}-----`].join(
    lineBreak,
  );
