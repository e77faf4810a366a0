import type { z } from 'zod';

/** A tool call as AuthZEN puts it; what a search looks for is not there. */
export interface SentCall {
  readonly subject: { readonly type: string; readonly id?: string | undefined };
  readonly action?: { readonly name: string; readonly properties?: Properties } | undefined;
  readonly resource: { readonly type: string; readonly id?: string | undefined; readonly properties?: Properties };
  readonly context?: Properties;
}
type Properties = Readonly<Record<string, unknown>> | null | undefined;

/** What is asked of the call, unchecked, as the schemas of parse-question.ts read it. */
export const inputOf = ({ subject, action, resource, context }: SentCall, requestId: string | null = null) => ({
  requestId,
  agentId: subject.id,
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
});

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
export const sentenceOnInput = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${[PLACES[String(path[0])] ?? 'body', ...path.slice(1)].join('.')}: ${message}.`).join(' ');

/** The first word of the call that stands for nothing here, in a sentence; null when each is known. */
export const unknownWord = ({ subject, action, resource }: SentCall): string | null =>
  otherThan('subject.type', subject.type, 'agent') ??
  (action === undefined ? null : otherThan('action.name', action.name, 'invokeTool')) ??
  otherThan('resource.type', resource.type, 'tool');

function otherThan(field: string, value: string, wanted: string): string | null {
  return value === wanted ? null : `${field}: must be ${JSON.stringify(wanted)}; got ${JSON.stringify(value.slice(0, 100))}.`;
}
