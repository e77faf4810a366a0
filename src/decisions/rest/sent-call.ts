import type { z } from 'zod';
import type { Viewer } from '../../kernel/index.js';

/** A tool call as AuthZEN puts it; what a search looks for is not there. */
export interface SentCall {
  readonly subject: { readonly type: string; readonly id?: string | undefined };
  readonly action?: { readonly name: string; readonly properties?: Properties } | undefined;
  readonly resource: { readonly type: string; readonly id?: string | undefined; readonly properties?: Properties };
  readonly context?: Properties;
}
type Properties = Readonly<Record<string, unknown>> | null | undefined;

/** A subject is an agent, or the user on whose behalf it calls, as the binding of AuthZEN for the Model Context Protocol has it. */
const SUBJECT_TYPES = ['agent', 'identity'];
const ACTION_NAMES = ['invokeTool', 'tools/call'];
const isUser = ({ subject }: SentCall): boolean => subject.type === 'identity';

/** What is asked of the call, unchecked, as the schemas of parse-question.ts read it. */
export const inputOf = (sent: SentCall, requestId: string | null = null) => {
  const { subject, action, resource, context } = sent;
  return {
    requestId,
    agentId: isUser(sent) ? context?.['agent'] : subject.id,
    projectId: resource.properties?.['project'],
    tool: resource.id,
    arguments: action?.properties?.['arguments'],
    sessionId: context?.['session'],
    callId: context?.['call'],
    environment: context?.['environment'],
    branch: context?.['branch'],
    branchProtected: context?.['branchProtected'],
    surface: context?.['surface'],
    executionMode: context?.['executionMode'],
    promises: context?.['promises'],
  };
};

/** Where in a request each part of the input stands. */
const PLACES: Readonly<Record<string, string>> = {
  requestId: 'X-Request-ID',
  agentId: 'subject.id',
  projectId: 'resource.properties.project',
  tool: 'resource.id',
  arguments: 'action.properties.arguments',
  sessionId: 'context.session',
  callId: 'context.call',
  environment: 'context.environment',
  branch: 'context.branch',
  branchProtected: 'context.branchProtected',
  surface: 'context.surface',
  executionMode: 'context.executionMode',
  promises: 'context.promises',
};

/** Every problem of an input, in one sentence each that names its place in the request. */
export const sentenceOnInput = (error: z.ZodError, sent: SentCall): string => {
  const places = placesOf(error, sent);
  return error.issues.map(({ message }, index) => `${places[index]}: ${message}.`).join(' ');
};

/** Where in the request each problem of an input is. */
export const placesOf = ({ issues }: z.ZodError, sent: SentCall): readonly string[] =>
  issues.map(({ path }) => [placeOf(String(path[0]), sent), ...path.slice(1)].join('.'));

/** The field that a problem begins with. */
export const fieldOf = (problem: string): string => problem.slice(0, problem.indexOf(':'));

const placeOf = (part: string, sent: SentCall): string => (part === 'agentId' && isUser(sent) ? 'context.agent' : (PLACES[part] ?? 'body'));

/** The first word of the call that stands for nothing here, in a sentence; null when each is known. */
export const unknownWord = ({ subject, action, resource }: SentCall): string | null =>
  otherThan('subject.type', subject.type, SUBJECT_TYPES) ??
  (action === undefined ? null : otherThan('action.name', action.name, ACTION_NAMES)) ??
  otherThan('resource.type', resource.type, ['tool']);

function otherThan(field: string, value: string, wanted: readonly string[]): string | null {
  if (wanted.includes(value)) return null;
  const words = wanted.map((word) => JSON.stringify(word)).join(' or ');
  return `${field}: must be ${words}; got ${JSON.stringify(value.slice(0, 100))}.`;
}

/** Why the call is about another user than the one who asks, in a sentence; null when it is not. */
export const otherUser = (sent: SentCall, { userId }: Viewer): string | null =>
  isUser(sent) && sent.subject.id !== userId ? 'subject.id: must be the user whose token asks, where the type is "identity".' : null;

/**
 * Why a call in the words of the Model Context Protocol is not told in full, in a sentence; null when it is. That binding's own mapping of
 * `tools/call` leaves the arguments out: what policies say of them would come to nothing, and nobody would see it.
 */
export const untoldArguments = ({ action }: SentCall): string | null =>
  action?.name === 'tools/call' && action.properties?.['arguments'] == null
    ? 'action.properties.arguments: must be the arguments of the call, {} where it has none: policies read them.'
    : null;
