import { styleText } from 'node:util';
import { digestOfSeen, type BundleDrift } from '../../policy/index.js';
import { shown } from './diff.js';
import { CASES_END, TEXT_END, toFileName } from './file-names.js';
import { diffsOf, driftedIn, isEmpty, summaryOf, type Plan, type Summary } from './plan.js';
import type { Refusal, Standing, Test, Warning } from './service.js';

/** Writes text in colour, or as it is. */
export type Paint = (colour: 'green' | 'red' | 'yellow' | 'cyan' | 'bold', text: string) => string;

/** In colour on a terminal, unless NO_COLOR says otherwise (no-color.org). */
export const paintFor = (stream: { readonly isTTY?: boolean }): Paint =>
  stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' ? (colour, text) => styleText(colour, text) : (_colour, text) => text;

type Change = Plan['changes'][number];

/** A plan for people. */
export function planInWords(plan: Plan, paint: Paint): string {
  const changes = plan.changes.filter(({ action }) => action !== 'KEEP');
  return [
    `Namespace ${plan.namespaceId}, as of state ${digestOfSeen(plan.seen).slice(0, 12)}`,
    ...changes.flatMap((change) => ['', ...changeInWords(change, plan, paint)]),
    '',
    isEmpty(plan) ? 'No changes: the namespace is as the folder says.' : `Plan: ${summaryInWords(summaryOf(plan.changes))}.`,
    '',
  ].join('\n');
}

const SIGNS = { CREATE: '+', PUBLISH: '~', RETIRE: '-', ADOPT: '=', KEEP: ' ' } as const;
const COLOURS = { CREATE: 'green', PUBLISH: 'yellow', RETIRE: 'red', ADOPT: 'cyan', KEEP: 'cyan' } as const;

function changeInWords(change: Change, plan: Plan, paint: Paint): readonly string[] {
  const { action, name, before, after, drift } = change;
  const { diff, casesDiff } = diffsOf(change);
  const notes = [
    ...(drift === null ? [] : [driftInWords(drift, before, plan.adopt.includes(name))]),
    ...(before?.latest?.hasSchedule === true && action === 'PUBLISH' ? ['its times end: it is in force at once, and for good'] : []),
    ...(after !== null && before?.latest != null && before.latest.mode !== after.mode ? [modeInWords(after.mode)] : []),
    ...(after !== null && before === null && after.mode === 'SHADOW' ? ['only watched (SHADOW)'] : []),
    ...(after !== null && before !== null && before.description !== after.description ? ['its description changes'] : []),
  ];
  return [
    paint(COLOURS[action], `${SIGNS[action]} ${shown(name)}: ${actionInWords(change)}`),
    ...notes.map((note) => `  ! ${note}`),
    ...[diff, casesDiff].filter((patch) => patch !== '').flatMap((patch) => painted(patch, paint)),
  ];
}

function actionInWords({ action, before }: Change): string {
  const revision = before?.latest?.revision ?? 0;
  if (action === 'CREATE') return 'is new';
  if (action === 'RETIRE') return `is not in the folder any more: taken out of force (revision ${revision})`;
  if (action === 'ADOPT') return `is as it is to be already (revision ${revision}), and is marked as code`;
  if (before?.latest?.status === 'RETIRED') return `comes in force again (it was retired by revision ${revision})`;
  return revision === 0 ? 'is published for the first time' : `changes (revision ${revision} is the latest)`;
}

const modeInWords = (mode: 'ENFORCE' | 'SHADOW'): string =>
  mode === 'SHADOW'
    ? 'the new revision is only watched (SHADOW); what was enforced stays so'
    : 'it is enforced, and not only watched any more';

/** Why a policy is not as the last apply has left it, and what that means. */
export function driftInWords(drift: BundleDrift, before: Standing | null, isAdopted: boolean): string {
  const by = before?.publishedBy == null ? '' : `, the latest by ${before.publishedBy} at ${before.publishedAt ?? ''}`;
  const fate = isAdopted ? 'it is taken over' : 'name it with --adopt to take it over';
  const why = {
    RELEASED: `it was released to be changed by hand${by}`,
    HAND_WRITTEN: `a policy of this name was written by hand${by}`,
    OTHER_REPOSITORY: `it was applied from ${shown(before?.repository ?? 'elsewhere')}`,
    TOOL_RULES: 'a policy of this name follows from rules about tools',
  }[drift];
  return drift === 'TOOL_RULES' ? `${why}; give the file another name` : `${why}; ${fate}`;
}

/** Of policies that keep a folder from being applied, a line each. */
export const driftedInWords = (plan: Plan): string =>
  [
    `${counted(driftedIn(plan).length, 'policy is', 'policies are')} not as the last apply has left ${driftedIn(plan).length === 1 ? 'it' : 'them'}. Nothing was applied.`,
    ...driftedIn(plan).map(({ name, drift, before }) => `  ${shown(name)}: ${driftInWords(drift ?? 'RELEASED', before, false)}`),
    'Or look at a plan of now and apply exactly that: policies plan --out FILE, then policies apply --plan FILE.',
    '',
  ].join('\n');

export function summaryInWords({ create, publish, retire, adopt, keep }: Summary, isDone = false): string {
  const parts = [
    [create, isDone ? 'created' : 'to create'],
    [publish, isDone ? 'published' : 'to publish'],
    [retire, isDone ? 'retired' : 'to retire'],
    [adopt, isDone ? 'adopted' : 'to adopt'],
  ] as const;
  return `${parts.map(([count, what]) => `${count} ${what}`).join(', ')}; ${keep} unchanged`;
}

/** What came of a policy's cases, and what its author may not have meant. */
export function testInWords({ name, test, warnings }: Test, confirmed: readonly string[], isCoverageShown: boolean, paint: Paint): string {
  const { passed, failed } = test;
  const said = passed + failed === 0 ? 'no cases' : `${passed} of ${counted(passed + failed, 'case passes', 'cases pass')}`;
  return [
    paint(failed > 0 ? 'red' : 'green', `${shown(name)}: ${said}`),
    ...test.results.filter((result) => !result.passed).map((result) => caseInWords(name, result)),
    ...warnings.map((warning) => warningInWords(name, warning, confirmed.includes(warning.name))),
    ...(isCoverageShown
      ? test.uncovered.map(({ line, column, message }) => placed(toFileName(name) + TEXT_END, line, column, message))
      : []),
    '',
  ].join('\n');
}

const caseInWords = (name: string, { name: what, line, difference }: Test['test']['results'][number]): string =>
  placed(toFileName(name) + CASES_END, line, null, `${JSON.stringify(what)}: ${difference ?? ''}`);

const warningInWords = (name: string, { name: what, line, column, message, help }: Warning, isConfirmed: boolean): string =>
  placed(toFileName(name) + TEXT_END, line, column, isConfirmed ? `${message} (confirmed)` : `${message} ${help} Its name: ${what}`);

const placed = (file: string, line: number | null | undefined, column: number | null | undefined, text: string): string =>
  `  ${shown(`${file}${line == null ? '' : `:${line}${column == null ? '' : `:${column}`}`}: ${text}`)}`;

/** What the service refused for, every problem with the file and the place where it is. */
export function refusalInWords({
  message,
  problems = [],
  policies = [],
  failed = [],
  warnings = [],
  missing = [],
  demandedBy = [],
}: Refusal): string {
  return [
    shown(message),
    ...failed.map(({ name, result }) => caseInWords(name, result)),
    ...warnings.map(({ name, warning }) => warningInWords(name, warning, false)),
    ...(warnings.length === 0 ? [] : ['  To confirm one: --confirm NAME, or "confirm": ["NAME"] in policies.json.']),
    ...problems.map(({ name, path, isInCases, line, column, message: what, help }) => {
      const file = name === undefined ? (path ?? '') : toFileName(name) + (isInCases === true ? CASES_END : TEXT_END);
      return placed(file, line, column, `${what}${help == null ? '' : ` ${help}`}`);
    }),
    ...policies.map(({ name, reason, seenRevision, seenOrigin, nowRevision, nowOrigin, revision }) =>
      reason === undefined
        ? `  ${shown(name)}: seen ${standingInWords(seenRevision, seenOrigin)}, now ${standingInWords(nowRevision, nowOrigin)}`
        : `  ${shown(name)}: ${reason}, at revision ${revision ?? 0}`,
    ),
    ...missing.map((problem) => `  ${shown(problem)}`),
    ...(demandedBy.length === 0 ? [] : [`  Demanded by ${demandedBy.join(', ')}.`]),
    '',
  ].join('\n');
}

const standingInWords = (revision: number | null | undefined, origin: string | null | undefined): string =>
  revision == null ? 'none' : `revision ${revision} ${origin === 'AS_CODE' ? 'as code' : 'by hand'}`;

const painted = (patch: string, paint: Paint): readonly string[] =>
  patch
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const text = `    ${shown(line)}`;
      if (/^(---|\+\+\+) /.test(line)) return paint('bold', text);
      if (line.startsWith('@@')) return paint('cyan', text);
      if (line.startsWith('+')) return paint('green', text);
      return line.startsWith('-') ? paint('red', text) : text;
    });

export const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;
