import { rules as published } from '@secretlint/secretlint-rule-preset-recommend';

// Forms of tokens, kept up to date by secretlint (MIT). Of its recommended rules we take those for tokens with a form of their
// own. It is a linter for files: it says that a secret is there, and we must know where exactly, so we leave out
// - aws, whose range is the name's and ends inside the secret; basicauth and database-connection-string, whose range is the whole
//   address, and which overlook passwords that look like examples; privatekey, which needs the whole key: our rules know all of them,
// - gcp, which reads files, and filter-comments, with which a text could switch the rules off.
// All of them on every text would take 120 microseconds a kilobyte; `leads` tells when none can find anything, at a fiftieth of it.
// Version 13 has more rules and needs Node 22.

/** What we use of a rule; the package's types say the same in more words. */
interface Rule {
  readonly meta: { readonly id: string };
  create(context: Context, options: object): { file?(source: Source): unknown };
}

interface Context {
  readonly sharedOptions: object;
  createTranslator(messages: unknown): (id: string) => { readonly message: string; readonly messageId: string };
  report(finding: { readonly range: readonly [start: number, end: number] }): void;
  ignore(): void;
}

interface Source {
  readonly content: string;
  readonly filePath: string;
  readonly ext: string;
  readonly contentType: 'text';
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly rule: string;
}

/**
 * What all that a rule finds begins with, or holds, as sources of regular expressions. Where the rule allows no letter before a
 * token, its lead need not either. A rule that is not named here looks at every text.
 */
export const LEADS: Readonly<Record<string, readonly string[]>> = {
  '1password': ['ops_'],
  anthropic: ['sk-ant-'],
  databricks: ['dapi'],
  docker: ['dckr_pat_'],
  figma: ['figd_'],
  github: ['gh[pousr]_', 'github_pat_'],
  gitlab: ['glpat-'],
  grafana: ['glc_', 'glsa_'],
  groq: ['gsk_'],
  'hashicorp-vault': ['hv[sbr]\\.'],
  huggingface: ['(?<![A-Za-z])hf_'],
  linear: ['lin_api_'],
  notion: ['ntn_'],
  npm: ['npm_'],
  openai: ['sk-(?:proj|svcacct|admin)-', 'T3BlbkFJ'],
  sendgrid: ['(?<![A-Za-z])SG\\.'],
  shopify: ['shp(?:pa|ca|at|ss)_'],
  slack: ['xox[bpaor]-', 'xapp-', '[hH][oO][oO][kK][sS]\\.'],
  vercel: ['vc[piakr]_'],
};

/** Rules that are not used, for the reasons above. */
export const UNUSED: ReadonlySet<string> = new Set([
  'aws',
  'basicauth',
  'database-connection-string',
  'privatekey',
  'gcp',
  'filter-comments',
]);

const shortName = (rule: Rule): string => rule.meta.id.replace('@secretlint/secretlint-rule-', '');

const rules: readonly Rule[] = published;
let found: Span[] = [];

interface Scanner {
  readonly name: string;
  readonly lead: RegExp;
  readonly handler: ReturnType<Rule['create']>;
}

const scanners: readonly Scanner[] = rules
  .filter((rule) => !UNUSED.has(shortName(rule)))
  .map((rule) => {
    const name = shortName(rule);
    const handler = rule.create(
      {
        sharedOptions: {},
        createTranslator: () => (messageId) => ({ message: messageId, messageId }),
        report: ({ range: [start, end] }) => found.push({ start, end, rule: name }),
        ignore: () => undefined,
      },
      {},
    );
    return { name, lead: new RegExp((LEADS[name] ?? ['']).join('|'), 'g'), handler };
  });

/** A text with more beginnings of tokens than this is not read token by token: that would take long, and is what it was written for. */
const maxBeginnings = (text: string): number => 100 + text.length / 100;

/** Sources of regular expressions, one of which is found in every text in which `scanTokens` finds something. */
export const leads: readonly string[] = scanners.flatMap(({ name }) => LEADS[name] ?? ['']);

/**
 * Tokens of some twenty issuers, each with its place in the text and the name of secretlint's rule, in no order. A text that has
 * more than a hundred beginnings of tokens, and one for each hundred characters, is one secret as a whole: `too-many-secrets`.
 */
export function scanTokens(text: string): readonly Span[] {
  const begun: Scanner[] = [];
  let left = maxBeginnings(text);
  for (const scanner of scanners) {
    const before = left;
    for (const _beginning of text.matchAll(scanner.lead))
      if (left-- <= 0) return [{ start: 0, end: text.length, rule: 'too-many-secrets' }];
    if (left < before) begun.push(scanner);
  }
  found = [];
  for (const { handler, name } of begun) {
    const answer = handler.file?.({ content: text, filePath: 'text', ext: '', contentType: 'text' });
    if (answer !== undefined) throw new Error(`The rule ${name} of secretlint no longer answers at once.`);
  }
  return found;
}
