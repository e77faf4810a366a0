import type { ErrorCode } from '../../cedar/index.js';
import { ROLE_LEVELS } from '../../directory/index.js';
import type { Annotations } from '../annotations.js';
import type { Effect } from '../policy.js';
import type { EntityId, ScopePart } from '../statement-scope.js';
import type { Approval } from '../tool-call.js';
import { entityText } from './cedar-text.js';

export type Party = 'PRINCIPAL' | 'ACTION' | 'RESOURCE';

/** What a scope asks of one party, as Cedar writes it. */
export function askedText(part: ScopePart): string {
  if (part.kind === 'ANY') return '';
  if (part.kind === 'IS') return `== ${entityText(part.entity.type, part.entity.id)}`;
  const names = part.entities.map(({ type, id }) => entityText(type, id));
  return names.length === 1 ? `in ${names.join()}` : `in [${names.join(', ')}]`;
}

/** Says of a scope that it does not take the call, and why. */
export function misfitWords(party: Party, part: ScopePart): string {
  const [first] = part.kind === 'IS' ? [part.entity] : part.kind === 'IN' ? part.entities : [];
  if (first === undefined) return `Its scope asks for another kind of ${party.toLowerCase()}.`;
  if (party === 'ACTION') return `It is about another action than calling a tool: ${first.id}.`;
  return MISFITS[first.type]?.(first, part.kind === 'IS') ?? `Its scope asks for ${entityText(first.type, first.id)}.`;
}

const MISFITS: Readonly<Record<string, (entity: EntityId, isExact: boolean) => string>> = {
  Agent: ({ id }) => `It is about the agent “${id}”, and another one asks.`,
  AgentClass: ({ id }) => `It is about agents of the class “${id}”, and this agent is not of it.`,
  Tool: ({ id }, isExact) => (isExact ? OTHER_KIND : `It is about the tool “${id}”, and the call is of another one.`),
  Server: ({ id }) => `It is about tools of the server “${id}”, and this tool is not one of them.`,
  ToolLabel: ({ id }) => `It is about tools with the label “${id}”, and this tool does not have it.`,
  Project: ({ id }) => `It is about the project “${id}”, and the call is made in another one.`,
  Group: ({ id }) => `It is about the group “${id}”, and the project does not lie in it.`,
  Organization: ({ id }) => `It is about the organization “${id}”, and the project does not lie in it.`,
};
const OTHER_KIND = 'Its scope names a tool with == and can never match; it would have to be “in”.';

/** Says why a condition cannot be evaluated. */
export const ERROR_WORDS: Readonly<Record<ErrorCode, string>> = {
  TYPE: 'a value is of another kind than the policy expects',
  OVERFLOW: 'a number grew beyond 64 bits',
  NO_ATTRIBUTE: 'it reads an attribute that is not there',
  NO_TAG: 'it reads an argument that the call does not have',
  NO_ENTITY: 'it reads something of which nothing is known',
  EXTENSION: 'a text is not in the form of a time, an address or a decimal number',
  ARITY: 'a function is given too few or too many arguments',
};

/** Why a policy that reads arguments cannot be evaluated when not all of them can be shown. */
export const UNREADABLE_WORDS = 'it reads arguments, and the call has more of them than policies can be shown, or two of one name';

/** Says that a statement applies. */
export function appliedWords(effect: Effect, isOverruled: boolean, { approval, obligations }: Annotations): string {
  if (effect === 'PERMIT')
    return isOverruled ? 'It permits the call; that is not enough, since the call is forbidden too.' : 'It permits the call.';
  const ways = [
    ...(approval === null ? [] : [`gives way to ${approvalWords(approval)}`]),
    ...(obligations.length === 0 ? [] : [`demands the promise of ${obligations.join(', ')}`]),
  ];
  return ways.length === 0 ? 'It forbids the call.' : `It forbids the call; it ${ways.join(' and ')}.`;
}

/** Says which part keeps a statement from applying. */
export const unmetWords = (kind: 'when' | 'unless', part: string): string =>
  kind === 'when'
    ? `It asks for something that is not so: ${part}`
    : `It does not apply, since what it makes an exception for is so: ${part}`;

/** Says that a statement could not be evaluated. */
export function failedWords(effect: Effect, why: string, part: string | null): string {
  const outcome = effect === 'FORBID' ? 'A forbid that cannot be evaluated denies.' : 'So it permits nothing.';
  return `It could not be evaluated: ${why}${part === null ? '' : `, in ${part}`}. ${outcome}`;
}

/** The name of the highest role that reaches so far; null below all. An auditor counts as a guest, and is told as one. */
export function roleOf(level: number): string | null {
  const reached = Object.entries(ROLE_LEVELS).filter(([role, reaches]) => role !== 'AUDITOR' && reaches <= level);
  return reached.reduce<readonly [string | null, number]>(
    (best, [role, reaches]) => (reaches > best[1] ? [role, reaches] : best),
    [null, 0],
  )[0];
}

export function approvalWords({ level, count }: Approval): string {
  const role = roleOf(level);
  const who = role === null ? 'a human' : `${role} or above`;
  return count === 1 ? `the approval of ${who === 'a human' ? who : `one ${who}`}` : `the approvals of ${count} people, each ${who}`;
}
