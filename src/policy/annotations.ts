import { isJsonObject, isPlain, type Json } from '../kernel/index.js';
import { ROLE_LEVELS } from '../directory/index.js';
import type { Approval } from './tool-call.js';

export type Severity = (typeof SEVERITIES)[number];
const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;

/** What the annotations of a statement say. They carry words and parameters; none of them changes what Cedar answers. */
export interface Annotations {
  /** The statement's own name, unique in its text. */
  readonly id: string | null;
  /** Why it is so, for people. */
  readonly reason: string | null;
  /** What to do instead, in words that may be shown to a model. */
  readonly advice: string | null;
  readonly severity: Severity | null;
  /** Who must approve, for the forbid to let a call pass. */
  readonly approval: Approval | null;
  /** What the enforcement point must promise, for the forbid to let a call pass. */
  readonly obligations: readonly string[];
}

/** What is wrong with one annotation. */
export interface AnnotationProblem {
  readonly name: string;
  readonly message: string;
  readonly help: string;
}

/** The most who can be asked to approve one call. */
export const MAX_APPROVERS = 10;
/** What no approval exceeds: with it, everything is allowed that any approval can allow. */
export const HIGHEST_APPROVAL: Approval = { level: ROLE_LEVELS.OWNER, count: MAX_APPROVERS };

const MAX_WORDS_CHARACTERS = 500;
const MAX_OBLIGATIONS = 10;
const APPROVERS = ['reporter', 'developer', 'maintainer', 'owner'] as const;
const OBLIGATION = /^[a-z][a-z0-9-]{0,49}(?::[^\s,"]{1,100})?$/;

interface Annotation<Value> {
  /** The value; undefined when `given` is malformed. */
  readonly read: (given: string) => Value | undefined;
  /** What would be right, as an example. */
  readonly right: string;
  /** Whether it says something of a denial, so that it has no place on a permit. */
  readonly isForForbids: boolean;
}

const words = (right: string, isForForbids: boolean): Annotation<string> => ({
  read: (given) => (given.trim() !== '' && given.length <= MAX_WORDS_CHARACTERS && isPlain(given) ? given : undefined),
  right: `${right}, in one line of at most ${MAX_WORDS_CHARACTERS} characters`,
  isForForbids,
});

/** The vocabulary: whatever is not here is refused. docs/policy-model.md describes each. */
const VOCABULARY = {
  id: {
    read: (given: string) => (/^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,99}$/.test(given) ? given : undefined),
    right: '@id("no-force-push"): letters, digits, “-”, “_”, “.”, “/” and spaces, at most 100 in all',
    isForForbids: false,
  },
  reason: words('@reason("Why it is so, for people")', false),
  advice: words('@advice("What to do instead; may be shown to a model")', true),
  severity: {
    read: (given: string) => SEVERITIES.find((severity) => severity === given),
    right: `one of ${SEVERITIES.map((severity) => `@severity("${severity}")`).join(', ')}`,
    isForForbids: true,
  },
  approval: {
    read: readApproval,
    right: `@approval("maintainer") or, with the number of approvers, @approval("maintainer:2"); the role is one of ${APPROVERS.join(', ')}, the number at most ${MAX_APPROVERS}`,
    isForForbids: true,
  },
  oblige: {
    read: readObligations,
    right: `@oblige("redact:pii") or, for several, @oblige("redact:pii, rate:30/m"): a kind in lower case and, after a colon, a parameter without spaces; at most ${MAX_OBLIGATIONS}`,
    isForForbids: true,
  },
} as const satisfies Readonly<Record<string, Annotation<unknown>>>;

/** The names that annotations can have. */
export const ANNOTATION_NAMES: readonly string[] = Object.keys(VOCABULARY);

function readApproval(given: string): Approval | undefined {
  const [, role, count = '1'] = /^([a-z]+)(?::([1-9]\d?))?$/.exec(given) ?? [];
  const approver = APPROVERS.find((name) => name === role);
  if (approver === undefined || Number(count) > MAX_APPROVERS) return undefined;
  const levels = {
    reporter: ROLE_LEVELS.REPORTER,
    developer: ROLE_LEVELS.DEVELOPER,
    maintainer: ROLE_LEVELS.MAINTAINER,
    owner: ROLE_LEVELS.OWNER,
  };
  return { level: levels[approver], count: Number(count) };
}

function readObligations(given: string): readonly string[] | undefined {
  const named = given.split(',').map((name) => name.trim());
  return named.length <= MAX_OBLIGATIONS && named.every((name) => OBLIGATION.test(name)) ? [...new Set(named)].sort() : undefined;
}

/** What an enforcement point can promise: an obligation, or a kind of obligation with whatever parameter. */
export const isObligation = (text: string): boolean => OBLIGATION.test(text);

/** Whether somebody who promises `promises` fulfils `obligation`: they promise it, or its kind. */
export const fulfils = (promises: readonly string[], obligation: string): boolean =>
  promises.includes(obligation) || promises.includes(obligation.slice(0, `${obligation}:`.indexOf(':')));

/**
 * What the annotations of a statement in Cedar's JSON form say. One that is unknown or malformed says nothing: texts from before the
 * vocabulary was closed have such, and they meant nothing then.
 */
export function annotationsOf(est: Json): Annotations {
  const given = givenIn(est);
  const value = <Value>(name: keyof typeof VOCABULARY, { read }: Annotation<Value>): Value | null => {
    const text = given.get(name);
    return text === undefined || text === null ? null : (read(text) ?? null);
  };
  return {
    id: value('id', VOCABULARY.id),
    reason: value('reason', VOCABULARY.reason),
    advice: value('advice', VOCABULARY.advice),
    severity: value('severity', VOCABULARY.severity),
    approval: value('approval', VOCABULARY.approval),
    obligations: value('oblige', VOCABULARY.oblige) ?? [],
  };
}

/** What of a statement's annotations is unknown, malformed or on the wrong kind of statement. */
export function annotationProblems(
  est: Json,
  effect: 'PERMIT' | 'FORBID',
  nearest: (name: string, known: readonly string[]) => string | null,
): readonly AnnotationProblem[] {
  return [...givenIn(est)].flatMap(([name, text]): readonly AnnotationProblem[] => {
    const annotation = Object.entries(VOCABULARY).find(([known]) => known === name)?.[1];
    if (annotation === undefined) return [unknown(name, nearest(name, ANNOTATION_NAMES))];
    if (annotation.isForForbids && effect === 'PERMIT')
      return [
        { name, message: `@${name} stands on a permit; it says something of a denial.`, help: 'Put it on a forbid, or take it away.' },
      ];
    if (text === null || annotation.read(text) === undefined)
      return [
        {
          name,
          message: `@${name}${text === null ? '' : `(${JSON.stringify(text)})`} is not complete or not in its form.`,
          help: `Write ${annotation.right}.`,
        },
      ];
    return [];
  });
}

function unknown(name: string, meant: string | null): AnnotationProblem {
  if (name === 'mode')
    return {
      name,
      message: 'There is no annotation @mode: whether a policy is enforced or only watched is said of the policy, not of a statement.',
      help: 'Take it away.',
    };
  const names = ANNOTATION_NAMES.map((known) => `@${known}`).join(', ');
  return {
    name,
    message: `There is no annotation @${name}.`,
    help: meant === null ? `There are ${names}.` : `Did you mean @${meant}? There are ${names}.`,
  };
}

function givenIn(est: Json): ReadonlyMap<string, string | null> {
  const annotations = isJsonObject(est) ? est['annotations'] : undefined;
  if (!isJsonObject(annotations)) return new Map();
  return new Map(Object.entries(annotations).map(([name, value]) => [name, typeof value === 'string' ? value : null]));
}
