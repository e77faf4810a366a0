import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CommandError } from './command-error.js';

const Row = z.object({
  traceId: z.string().min(1),
  model: z.string().min(1),
  step: z.number().int().nonnegative(),
  tool: z.string().min(1),
  args: z.record(z.string(), z.unknown()),
  callId: z.string().nullish(),
  error: z.string().nullish(),
  suite: z.string().nullish(),
  userTask: z.string().nullish(),
});

/** One recorded tool call. */
export type Call = z.infer<typeof Row>;

/** One recorded run of an agent: its calls in the order of their steps. */
export interface Run {
  readonly traceId: string;
  readonly calls: readonly Call[];
}

/**
 * Reads recorded runs, a JSON object a line.
 *
 * @throws CommandError naming the first line that is no recorded call.
 */
export async function readRuns(lines: AsyncIterable<string>): Promise<readonly Run[]> {
  const runs = new Map<string, Call[]>();
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    const call = readCall(line, number);
    runs.set(call.traceId, [...(runs.get(call.traceId) ?? []), call]);
  }
  return [...runs].map(([traceId, calls]) => ({ traceId, calls: calls.sort((left, right) => left.step - right.step) }));
}

function readCall(line: string, number: number): Call {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new CommandError(`Line ${number} is not JSON.`);
  }
  const parsed = Row.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CommandError(`Line ${number} is not a recorded tool call: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`);
}

const SOURCE = '/agent-governance/replay';

/** How a run is told to the service. Every id follows from the run, so that telling it again adds nothing. */
export interface Telling {
  readonly sessionId: string;
  readonly started: object;
  readonly ended: object;
  readonly steps: readonly {
    readonly requestId: string;
    /** An AuthZEN evaluation request. */
    readonly request: object;
    /** What came of the call when it was allowed. */
    readonly outcome: readonly object[];
  }[];
}

/**
 * Turns a run into a session, decision requests and events. Pure: the same run and start, the same ids and times.
 *
 * Recorded runs have no clock, so steps are a few milliseconds apart.
 */
export function tell(run: Run, place: { readonly projectId: string; readonly agentPrefix: string; readonly startedAt: Date }): Telling {
  const sessionId = sessionIdOf(run);
  const first = run.calls[0];
  const agentOf = (call: Call | undefined): string => `${place.agentPrefix}${call?.model ?? ''}`;
  const at = (milliseconds: number): string => new Date(place.startedAt.getTime() + milliseconds).toISOString();
  const event = (part: string, type: string, milliseconds: number, data: object, more: object = {}): object => ({
    specversion: '1.0',
    id: idOf(run.traceId, part),
    source: SOURCE,
    type,
    subject: sessionId,
    time: at(milliseconds),
    datacontenttype: 'application/json',
    projectid: place.projectId,
    agentid: agentOf(first),
    ...more,
    data,
  });
  const partOf = partNames();
  return {
    sessionId,
    started: event('started', 'ai_agent_session_started', 0, { workflow_type: first?.suite ?? 'recorded', goal: first?.userTask ?? '' }),
    ended: event('ended', 'ai_agent_session_ended', 2 * run.calls.length + 1, {
      status: 'success',
      duration_seconds: (2 * run.calls.length + 1) / 1_000,
    }),
    steps: run.calls.map((call, index) => {
      const part = partOf(call);
      const callId = call.callId == null || call.callId === '' ? `step-${part}` : call.callId;
      const more = { agentid: agentOf(call), callid: callId };
      const { type, data } = resultOf(call);
      return {
        requestId: idOf(run.traceId, `${part} decision`),
        request: {
          subject: { type: 'agent', id: agentOf(call) },
          action: { name: 'invokeTool', properties: { arguments: call.args } },
          resource: { type: 'tool', id: call.tool, properties: { project: place.projectId } },
          context: { session: sessionId, call: callId },
        },
        outcome: [
          event(`${part} invoked`, 'ai_tool_invoked', 2 * index + 1, { tool_name: call.tool, tool_args: call.args }, more),
          event(`${part} result`, type, 2 * index + 2, data, more),
        ],
      };
    }),
  };
}

/** Names the calls of one run, in their order: by the step, and where a step has several calls, by their place in it too. */
function partNames(): (call: Call) => string {
  const seen = new Map<number, number>();
  return ({ step }) => {
    const place = (seen.get(step) ?? 0) + 1;
    seen.set(step, place);
    return place === 1 ? String(step) : `${step}.${place}`;
  };
}

function resultOf({ tool, error }: Call): { readonly type: string; readonly data: object } {
  return error == null
    ? { type: 'ai_tool_response_received', data: { tool_name: tool } }
    : { type: 'ai_tool_execution_failed', data: { tool_name: tool, ...errorOf(error) } };
}

/** The trace id, or, where that is too long for a session id, a hash of it. */
export const sessionIdOf = ({ traceId }: Run): string => (traceId.length <= 200 ? traceId : idOf(traceId, 'session'));

const idOf = (traceId: string, part: string): string =>
  createHash('sha256')
    .update(JSON.stringify([traceId, part]))
    .digest('hex')
    .slice(0, 32);

/** `ValueError: No such file` as class and message. */
function errorOf(error: string): { readonly error_type: string; readonly error_message: string } {
  const parts = /^(\w+): (.*)$/s.exec(error);
  return { error_type: parts?.[1] ?? 'Error', error_message: parts?.[2] ?? error };
}
