import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CommandError } from './command-error.js';
import type { Connection, ServiceConnection } from './connection.js';

/** The service's public API, as a command uses it. */
export interface Api {
  /** When each of these sessions began, for those that are recorded already. At most 100. */
  sessionStarts(sessionIds: readonly string[]): Promise<ReadonlyMap<string, Date>>;
  /** Records events; answers how many were new. */
  record(events: readonly object[]): Promise<number>;
  /**
   * Records the last events of a session and that they were the last. Answers how much was new, the statement included. What was said
   * under the same batch id before stands, also when it was another total.
   */
  finish(sessionId: string, last: LastBatch): Promise<number>;
  /** Whether the call is allowed, and whether the decision was recorded now (and not at an earlier asking). */
  decide(requestId: string, request: object): Promise<{ readonly isAllowed: boolean; readonly isNew: boolean }>;
}

export interface LastBatch {
  readonly batchId: string;
  readonly events: readonly object[];
  /** How many events the session has had from here, those of this batch included. */
  readonly totalEventsSent: number;
}

export interface Asking extends ServiceConnection {
  /** How long to try again, in seconds, while the service does not answer or is overloaded. */
  readonly patience: number;
  /** Called each time that the service did not answer and is going to be asked again. */
  readonly waiting: () => void;
  /** Ends whatever is waiting for the service. */
  readonly signal: AbortSignal;
  /** How long an answer may take, in seconds; absent: 30. */
  readonly answerSeconds?: number;
}

export type ApiOptions = Asking & Connection;

const Starts = z.object({
  data: z.object({ agentAuditEvents: z.object({ nodes: z.array(z.object({ sessionId: z.string(), occurredAt: z.string() })) }) }),
});
const Result = z.object({ status: z.string(), path: z.string().optional(), reason: z.string().optional() });
const Recorded = z.object({ stored: z.number(), results: z.array(Result) });
const Finished = Recorded.extend({ report: Result });
const Decided = z.object({
  decision: z.boolean(),
  context: z.object({ id: z.string().optional(), isRepeated: z.boolean().optional(), explanation: z.string() }),
});
const Refused = z.union([
  z.object({ error: z.object({ message: z.string(), code: z.string().optional() }) }),
  z.object({ errors: z.tuple([z.object({ message: z.string(), extensions: z.object({ code: z.string() }).optional() })], z.unknown()) }),
]);

const START_QUERY = `query Starts($sessionIds: [String!]!, $projectIds: [ID!]!, $userIds: [ID!]!) {
  agentAuditEvents(first: 100, filter: { types: ["ai_agent_session_started"], sessionIds: $sessionIds, projectIds: $projectIds, userIds: $userIds }) { nodes { sessionId occurredAt } }
}`;

/** Every request is safe to repeat: events and decisions are known by their ids. */
export function apiClient(options: ApiOptions): Api {
  return {
    async sessionStarts(sessionIds) {
      const answer = await ask(
        options,
        '/graphql',
        { query: START_QUERY, variables: { sessionIds, projectIds: [options.projectId], userIds: [options.userId] } },
        Starts,
      );
      return new Map(answer.data.agentAuditEvents.nodes.map((node) => [node.sessionId, new Date(node.occurredAt)]));
    },
    async record(events) {
      const answer = await ask(options, '/v1/audit-events', events, Recorded, { 'content-type': 'application/cloudevents-batch+json' });
      refuseRejections(answer.results);
      return answer.stored;
    },
    async finish(sessionId, { batchId, events, totalEventsSent }) {
      const path = `/v1/sessions/${encodeURIComponent(sessionId)}/audit-events`;
      const { results, report, stored } = await ask(
        options,
        path,
        { batch_id: batchId, events, final: true, total_events_sent: totalEventsSent },
        Finished,
      );
      const isSaidAlready = report.path === 'batch_id';
      refuseRejections(isSaidAlready ? results : [...results, report]);
      return stored + (report.status === 'stored' ? 1 : 0);
    },
    async decide(requestId, request) {
      const { decision, context } = await ask(options, '/access/v1/evaluation', request, Decided, { 'x-request-id': requestId });
      if (context.id === undefined) throw new CommandError(`The service did not decide: ${context.explanation}`);
      return { isAllowed: decision, isNew: context.isRepeated !== true };
    },
  };
}

function refuseRejections(results: readonly z.infer<typeof Result>[]): void {
  const bad = results.find(({ status }) => status === 'rejected');
  if (bad !== undefined) throw new CommandError(`The service rejected an event: ${bad.path ?? ''} ${bad.reason ?? ''}.`);
}

/**
 * Posts JSON until there is an answer, and takes that apart.
 *
 * @throws CommandError when the service refuses, or does not answer for `patience`.
 */
export async function ask<Wanted>(
  options: Asking,
  path: string,
  body: unknown,
  schema: z.ZodType<Wanted>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Wanted> {
  const answer = await send(options, path, body, headers);
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  const reason = refusalIn(answer.body)?.message ?? `it answered with status ${answer.status} in a form that this command does not know.`;
  throw new CommandError(`The service refused POST ${path}: ${reason}`);
}

interface Answer {
  readonly status: number;
  /** Null when it was no JSON. */
  readonly body: unknown;
}

/** Sends until there is an answer; gives up when the service has been away for `patience`. */
async function send(options: Asking, path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const giveUpAt = Date.now() + options.patience * 1_000;
  for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
    const answer = await fetchOnce(options, path, body, headers);
    const trouble = typeof answer === 'string' ? answer : troubleIn(answer);
    if (typeof answer !== 'string' && trouble === null) return answer;
    options.waiting();
    if (Date.now() + pause > giveUpAt)
      throw new CommandError(
        `The service at ${options.baseUrl} does not answer (${trouble ?? ''}). Run the same command again: it goes on where this one stopped.`,
      );
    await sleep(pause, undefined, { signal: options.signal });
  }
}

/** Why an answer is none for the moment; null when it is one. A GraphQL answer has status 200 also when the database is away. */
function troubleIn({ status, body }: Answer): string | null {
  const refusal = refusalIn(body);
  return status === 503 || refusal?.code === 'UNAVAILABLE' || refusal?.code === 'OVERLOADED'
    ? (refusal?.message ?? `it answers ${status}`)
    : null;
}

function refusalIn(body: unknown): { readonly message: string; readonly code?: string } | null {
  const refused = Refused.safeParse(body);
  if (!refused.success) return null;
  if ('error' in refused.data) return refused.data.error;
  const [{ message, extensions }] = refused.data.errors;
  return { message, ...extensions };
}

/** The answer, read to its end so that a connection lost half-way shows here; or why there was none. */
async function fetchOnce(
  { baseUrl, token, signal, answerSeconds = 30 }: Asking,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<Answer | string> {
  try {
    const response = await fetch(baseUrl + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers, authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerSeconds * 1_000)]),
    });
    return { status: response.status, body: jsonIn(await response.text()) };
  } catch (error) {
    return reasonOf(error);
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Why `fetch` failed: it says so in the cause of what it throws. */
function reasonOf(error: unknown): string {
  const { cause, message }: { cause?: unknown; message?: string } = Object(error);
  return cause === undefined ? (message ?? String(error)) : reasonOf(cause);
}
