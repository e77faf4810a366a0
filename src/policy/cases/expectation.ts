import { ROLE_LEVELS } from '../../directory/index.js';
import type { Evaluation, Reason } from '../evaluate.js';
import type { Approval } from '../tool-call.js';
import type { Expectation } from './case.js';

/** By which a reason is wanted: the statement's name, or else the policy's. */
export const nameOfReason = ({ statement, policyName }: Pick<Reason, 'statement' | 'policyName'>): string => statement ?? policyName;

/** What differs between what was wanted and what came, in words; empty when nothing does. Pure. */
export function differences(expected: Expectation, got: Evaluation): readonly string[] {
  const { verdict, reasons, obligations, approval } = expected;
  const isVerdict = verdict === got.verdict;
  const names = [...new Set(got.reasons.map(nameOfReason))];
  return [
    ...(isVerdict ? [] : [`Wanted ${verdict}, but it is ${got.verdict}: ${WORDS[got.basis](listOf(names))}.`]),
    ...(reasons === null ? [] : difference('reasons', reasons, names)),
    ...(obligations === null ? [] : difference('obligations', obligations, got.obligations)),
    ...(approval === null || isSame(approval, got.approval)
      ? []
      : [`Wanted that ${approversOf(approval)}, but ${got.approval === null ? 'nobody is asked' : approversOf(got.approval)}.`]),
  ];
}

const WORDS: Readonly<Record<Evaluation['basis'], (names: string) => string>> = {
  PERMITTED: (names) => `${names} permits it and nothing forbids it`,
  APPROVAL_NEEDED: (names) => `${names} forbids it until somebody has approved`,
  FORBIDDEN: (names) => `${names} forbids it`,
  OBLIGATION_NEEDED: (names) => `${names} forbids it, since the call promises too little`,
  NO_MATCH: () => 'nothing permits it',
  ARGUMENTS_UNREADABLE: (names) => `${names} reads arguments, of which not all can be seen`,
  POLICY_ERROR: (names) => `${names} could not be evaluated, which denies`,
  IDENTITY_CONTRADICTED: () => 'the call is not made by whom it says',
  HUMAN_NO_MEMBER: () => 'the human behind it is no member of the project',
};

function difference(what: string, wanted: readonly string[], got: readonly string[]): readonly string[] {
  const missing = wanted.filter((name) => !got.includes(name));
  const beyond = got.filter((name) => !wanted.includes(name));
  const parts = [
    ...(missing.length === 0 ? [] : [`${listOf(missing)} ${missing.length === 1 ? 'is' : 'are'} missing`]),
    ...(beyond.length === 0 ? [] : [`${listOf(beyond)} came beside`]),
  ];
  return parts.length === 0 ? [] : [`Of the ${what} that were wanted${wanted.length === 0 ? ', none,' : ''} ${parts.join(', and ')}.`];
}

const isSame = (left: Approval, right: Approval | null): boolean => left.level === right?.level && left.count === right.count;

function approversOf({ level, count }: Approval): string {
  const [role = `the level ${level}`] = Object.entries(ROLE_LEVELS).flatMap(([name, of]) => (of === level ? [name] : []));
  return count === 1 ? `one ${role} is asked to approve` : `${count} times ${role} is asked to approve`;
}

/** Names as they stand in a sentence. */
export const listOf = (names: readonly string[]): string => names.map((name) => `“${name}”`).join(', ');
