/**
 * Pieces of text, in lower case, at least one of which is in every text in which a rule finds a secret: of each form of a token, of each
 * name that announces a secret, of each place at which one stands. A test proves it for each pattern; see `literalsOf` there.
 */
const NEEDLES: readonly string[] = [
  // Forms of tokens, ours and the library's.
  ...['0q~', '1q~', '2q~', '3q~', '4q~', '5q~', '6q~', '7q~', '8q~', '9q~', ':aa', '_v1_', 'abia', 'acca', 'akia', 'aiza', 'asia'],
  ...['atatt', 'atbb', 'atctt', 'atlasv1.', 'cfat_', 'cfk_', 'cfut_', 'dapi', 'dckr_pat_', 'dp.audit.', 'dp.ct.', 'dp.pt.', 'dp.sa.'],
  ...['dp.scim.', 'dp.st.', 'eyj', 'figd_', 'gho_', 'ghp_', 'ghr_', 'ghs_', 'ghu_', 'github_pat_', 'glagent-', 'glc_', 'glcbt-', 'gldt-'],
  ...['glffct-', 'glft-', 'glimt-', 'gloas-', 'glpat-', 'glptt-', 'glrt-', 'glrtr-', 'glsa_', 'glsoat-', 'glwt-', 'gocspx-', 'gr1348941'],
  ...['gsk_', 'hf_', 'hooks.', 'hrku-', 'hvb.', 'hvr.', 'hvs.', 'lin_api_', 'lsv2_', 'npm_', 'nrak-', 'ntn_', 'ops_', 'pmak-', 'pplx-'],
  ...['pscale_', 'pul-', 'pypi-', 'r8_', 'rk_live_', 'rk_test_', 'rubygems_', 'sb_secret_', 'sbp_', 'sg.', 'shpat_', 'shpca_', 'shppa_'],
  ...[
    'shpss_',
    'sk-',
    'sk_live_',
    'sk_test_',
    'sntrys_',
    'sntryu_',
    't3blbkfj',
    'tskey-',
    'vca_',
    'vci_',
    'vck_',
    'vcp_',
    'vcr_',
    'whsec_',
  ],
  ...['xai-', 'xapp-', 'xox', 'ya29.'],
  ...[...'0123456789'].map((digit) => `-us${digit}`),
  ...[...'0123456789abcdef'].map((digit) => `sk${digit}`),
  // Names that announce a secret.
  ...['&sig', '-sig', '?sig', '_code', '_confirmation', '_hash', 'authorization', 'cookie', 'credential', 'cvc', 'cvv', 'key', 'mnemonic'],
  ...['otp', 'pass', 'phrase', 'pin', 'pwd', 'secret', 'token'],
  // Places: what stands in prose, and commands.
  ...['bearer', 'curl', 'mariadb', 'mysql', 'redis-cli'],
  ...['code', 'word'].flatMap((word) => ['is', 'to', 'was'].map((verb) => `${word} ${verb}`)),
];

// Letters in either case, digits and what else needles are made of have numbers of six bits; all other characters have none.
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789_-.:~ ?&';
const NUMBERS = new Uint8Array(128);
[...ALPHABET].forEach((character, index) => {
  NUMBERS[character.charCodeAt(0)] = index + 1;
  NUMBERS[character.toUpperCase().charCodeAt(0)] = index + 1;
});

const numberAt = (text: string, at: number): number => {
  const code = text.charCodeAt(at);
  return code < 128 ? (NUMBERS[code] ?? 0) : 0;
};

/** Three characters in a row, as one number of 18 bits. */
const TRIGRAMS = 1 << 18;

/** Needles by the trigram they end with, and one bit for each such trigram. */
const byEnd = new Map<number, string[]>();
const ends = new Uint32Array(TRIGRAMS / 32);
for (const needle of NEEDLES) {
  let end = 0;
  for (let at = needle.length - 3; at < needle.length; at += 1) end = (end << 6) | numberAt(needle, at);
  byEnd.set(end, [...(byEnd.get(end) ?? []), needle]);
  ends[end >> 5] = (ends[end >> 5] ?? 0) | (1 << (end & 31));
}

/**
 * Whether a text may hold a secret: it holds one of the needles, in whatever case. One look at each character, a nanosecond or two: nearly
 * every text that is recorded holds none, and the patterns themselves would cost ten times as much.
 */
export function hasNeedle(text: string): boolean {
  let last = 0;
  for (let at = 0; at < text.length; at += 1) {
    last = ((last << 6) | numberAt(text, at)) & (TRIGRAMS - 1);
    if (((ends[last >> 5] ?? 0) & (1 << (last & 31))) !== 0 && endsWithOne(text, at + 1, last)) return true;
  }
  return false;
}

const endsWithOne = (text: string, end: number, trigram: number): boolean =>
  (byEnd.get(trigram) ?? []).some((needle) => text.slice(Math.max(0, end - needle.length), end).toLowerCase() === needle);
