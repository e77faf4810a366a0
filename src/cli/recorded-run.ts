import { z } from 'zod';
import { MAX_ARGUMENTS_CHARACTERS } from '../decisions/index.js';
import { hashOf, isPlain, isWellFormed, jsonProblem, parseJson } from '../kernel/index.js';
import { CommandError } from './command-error.js';

/** What the service takes, so that a line that it would refuse is named before anything is sent. */
const name = (longest: number) =>
  z.string().max(longest).refine(isPlain, 'must not hold control characters').refine(isWellFormed, 'must be well-formed Unicode');

const Row = z.object({
  traceId: name(2_000).min(1),
  model: name(200).min(1),
  step: z.number().int().nonnegative(),
  tool: name(300).min(1),
  args: z.record(z.string(), z.unknown()).superRefine((value, context) => {
    const problem = jsonProblem(value, 'args', 64);
    if (problem !== null) context.addIssue({ code: 'custom', message: `${problem.path} ${problem.reason}` });
    else if (JSON.stringify(value).length > MAX_ARGUMENTS_CHARACTERS)
      context.addIssue({ code: 'custom', message: `must have at most ${MAX_ARGUMENTS_CHARACTERS} characters of JSON` });
  }),
  callId: name(200).nullish(),
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
  for await (const read of lines) {
    number += 1;
    const line = number === 1 ? read.replace(/^\uFEFF/, '') : read;
    if (line.trim() === '') continue;
    const call = readCall(line, number);
    const calls = runs.get(call.traceId);
    if (calls === undefined) runs.set(call.traceId, [call]);
    else calls.push(call);
  }
  return [...runs].map(([traceId, calls]) => ({ traceId, calls: calls.sort((left, right) => left.step - right.step) }));
}

function readCall(line: string, number: number): Call {
  let json: unknown;
  try {
    json = parseJson(line);
  } catch {
    throw new CommandError(`Line ${number} is not JSON.`);
  }
  const parsed = Row.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CommandError(`Line ${number} is not a recorded tool call: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`);
}

const SOURCE = '/agent-governance/replay';

/**
 * How a run is told to the service. Every id follows from the run, so that telling it again adds nothing.
 *
 * Events have no numbers: which of them are sent depends on what is allowed, so under other policies an event would have another number,
 * and would contradict the one that is stored under its id. That some are missing shows by their total.
 */
export interface Telling {
  readonly sessionId: string;
  readonly started: object;
  readonly ended: object;
  /** Names the batch with which the session ends. */
  readonly finalBatchId: string;
  readonly steps: readonly {
    readonly requestId: string;
    /** An AuthZEN evaluation request. */
    readonly request: object;
    /** What came of the call when it was allowed. */
    readonly outcome: readonly object[];
  }[];
}

/** Where runs are told to have happened. The same run in another project, say, is another session's worth of events. */
export interface Place {
  readonly projectId: string;
  /** What precedes the model's name in an agent's id. */
  readonly agentPrefix: string;
  /** For whom the token speaks. */
  readonly userId: string;
}

/**
 * Turns a run into a session, decision requests and events. Pure: the same run and start, the same ids and times.
 *
 * Recorded runs have no clock, so steps are a few milliseconds apart.
 */
export function tell(run: Run, place: Place & { readonly startedAt: Date }): Telling {
  const idOf = (part: string): string => hashed(run.traceId, part, place.projectId, place.agentPrefix, place.userId);
  const sessionId = sessionIdOf(run);
  const first = run.calls[0];
  const agentOf = (call: Call | undefined): string => `${place.agentPrefix}${call?.model ?? ''}`;
  const at = (milliseconds: number): string => new Date(place.startedAt.getTime() + milliseconds).toISOString();
  const event = (part: string, type: string, milliseconds: number, data: object, more: object = {}): object => ({
    specversion: '1.0',
    id: idOf(part),
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
    finalBatchId: idOf('final'),
    steps: run.calls.map((call, index) => {
      const part = partOf(call);
      const callId = call.callId == null || call.callId === '' ? `step-${part}` : call.callId;
      const more = { agentid: agentOf(call), callid: callId };
      const { type, data } = resultOf(call);
      return {
        requestId: idOf(`${part} decision`),
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
export const sessionIdOf = ({ traceId }: Run): string => (traceId.length <= 200 ? traceId : hashed(traceId, 'session'));

const hashed = (...parts: readonly string[]): string => hashOf(...parts).toString('hex', 0, 16);

/** `ValueError: No such file` as class and message. */
function errorOf(error: string): { readonly error_type: string; readonly error_message: string } {
  const parts = /^(\w+): (.*)$/s.exec(error);
  return { error_type: parts?.[1] ?? 'Error', error_message: parts?.[2] ?? error };
}
