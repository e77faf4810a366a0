import { describe, expect, it } from '@jest/globals';
import { CommandError } from '../../src/cli/command-error.js';
import { readRuns, sessionIdOf, tell, type Run } from '../../src/cli/recorded-run.js';

const startedAt = new Date('2026-11-22T09:30:00.000Z');
const place = { projectId: 'project', agentPrefix: 'gid://platform/Agent/', userId: 'ada', startedAt };

const aRow = (more: object = {}): object => ({
  traceId: 'run 1',
  model: 'claude',
  step: 0,
  tool: 'read_file',
  args: { path: '/tmp' },
  callId: 'call 1',
  error: null,
  suite: 'workspace',
  userTask: 'task 1',
  ...more,
});

async function* linesOf(...rows: readonly (object | string)[]): AsyncGenerator<string> {
  for (const row of rows) yield typeof row === 'string' ? row : JSON.stringify(row);
}

async function theRun(...rows: readonly object[]): Promise<Run> {
  const [run] = await readRuns(linesOf(...rows));
  if (run === undefined) throw new Error('There is no run.');
  return run;
}

describe('readRuns', () => {
  it('gathers the calls of each run in the order of their steps, whatever the order of the lines', async () => {
    const rows = [aRow({ step: 2 }), aRow({ traceId: 'run 2' }), aRow({ step: 0 }), aRow({ step: 1 })];

    const runs = await readRuns(linesOf(...rows, '', '  '));

    expect(runs.map(({ traceId, calls }) => [traceId, calls.map(({ step }) => step)])).toEqual([
      ['run 1', [0, 1, 2]],
      ['run 2', [0]],
    ]);
  });

  it('ignores what it does not need, and minds nothing that is absent', async () => {
    const { callId: _call, error: _error, suite: _suite, userTask: _task, ...least }: Record<string, unknown> = { ...aRow() };

    expect(await readRuns(linesOf({ ...least, injected: 'exact', security: true }))).toHaveLength(1);
  });

  it('minds no byte order mark', async () => {
    expect(await readRuns(linesOf(`\uFEFF${JSON.stringify(aRow())}`))).toHaveLength(1);
  });

  it('reads a run of a hundred thousand calls in the time that its lines take', async () => {
    const rows = Array.from({ length: 100_000 }, (_row, step) => aRow({ step }));

    async function* lines(): AsyncGenerator<string> {
      for (const row of rows) yield JSON.stringify(row);
    }

    expect((await readRuns(lines()))[0]?.calls).toHaveLength(100_000);
  });

  it('finds no runs in an empty file', async () => {
    expect(await readRuns(linesOf())).toEqual([]);
  });

  it.each([
    ['{"traceId":', 'Line 2 is not JSON.'],
    [aRow({ step: '1' }), /^Line 2 is not a recorded tool call: step: /],
    [aRow({ step: -1 }), /^Line 2 is not a recorded tool call: step: /],
    [aRow({ args: [] }), /^Line 2 is not a recorded tool call: args: /],
    [aRow({ tool: '' }), /^Line 2 is not a recorded tool call: tool: /],
    [aRow({ tool: 'x'.repeat(301) }), /^Line 2 is not a recorded tool call: tool: /],
    [aRow({ callId: 'a\u0000' }), /^Line 2 is not a recorded tool call: callId: must not hold control characters/],
    [aRow({ args: { path: '\ud800' } }), /^Line 2 is not a recorded tool call: args: args.path must be well-formed Unicode/],
    [aRow({ args: { text: 'x'.repeat(300_000) } }), /^Line 2 is not a recorded tool call: args: must have at most 262144 characters/],
    [
      '{"traceId":"r","model":"m","step":0,"tool":"t","args":{"account":9007199254740993}}',
      /args.account must be a whole number that a double/,
    ],
    [aRow({ traceId: undefined }), /^Line 2 is not a recorded tool call: traceId: /],
    ['null', /^Line 2 is not a recorded tool call: /],
  ])('names the line that is no recorded call: %j', async (line, message) => {
    const reading = readRuns(linesOf(aRow(), line));

    await expect(reading).rejects.toThrow(CommandError);
    await expect(readRuns(linesOf(aRow(), line))).rejects.toThrow(message);
  });
});

describe('tell', () => {
  it('makes of a run a session, a question before each call and events after it', async () => {
    const telling = tell(await theRun(aRow(), aRow({ step: 1, callId: 'call 2', error: 'ValueError: no such file' })), place);
    const common = {
      specversion: '1.0',
      source: '/agent-governance/replay',
      subject: 'run 1',
      datacontenttype: 'application/json',
      projectid: 'project',
      agentid: 'gid://platform/Agent/claude',
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
    };

    expect(telling).toEqual({
      sessionId: 'run 1',
      started: {
        ...common,
        type: 'ai_agent_session_started',
        time: '2026-11-22T09:30:00.000Z',
        data: { workflow_type: 'workspace', goal: 'task 1' },
      },
      ended: {
        ...common,
        type: 'ai_agent_session_ended',
        time: '2026-11-22T09:30:00.005Z',
        data: { status: 'success', duration_seconds: 0.005 },
      },
      finalBatchId: expect.stringMatching(/^[0-9a-f]{32}$/),
      steps: [
        {
          requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
          request: {
            subject: { type: 'agent', id: 'gid://platform/Agent/claude' },
            action: { name: 'invokeTool', properties: { arguments: { path: '/tmp' } } },
            resource: { type: 'tool', id: 'read_file', properties: { project: 'project' } },
            context: { session: 'run 1', call: 'call 1' },
          },
          outcome: [
            {
              ...common,
              type: 'ai_tool_invoked',
              callid: 'call 1',
              time: '2026-11-22T09:30:00.001Z',
              data: { tool_name: 'read_file', tool_args: { path: '/tmp' } },
            },
            {
              ...common,
              type: 'ai_tool_response_received',
              callid: 'call 1',
              time: '2026-11-22T09:30:00.002Z',
              data: { tool_name: 'read_file' },
            },
          ],
        },
        {
          requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
          request: expect.objectContaining({ context: { session: 'run 1', call: 'call 2' } }),
          outcome: [
            expect.objectContaining({ type: 'ai_tool_invoked', callid: 'call 2' }),
            {
              ...common,
              type: 'ai_tool_execution_failed',
              callid: 'call 2',
              time: '2026-11-22T09:30:00.004Z',
              data: { tool_name: 'read_file', error_type: 'ValueError', error_message: 'no such file' },
            },
          ],
        },
      ],
    });
  });

  it('tells the same run the same, in whatever order its lines stood', async () => {
    const rows = [aRow(), aRow({ step: 1 }), aRow({ step: 2 })];

    expect(tell(await theRun(...rows.toReversed()), place)).toEqual(tell(await theRun(...rows), place));
  });

  it('gives every event and every question an id of its own, across runs', async () => {
    const runs = await readRuns(
      linesOf(...['run 1', 'run 2', 'run 1 started'].flatMap((traceId) => [0, 1, 2].map((step) => aRow({ traceId, step })))),
    );

    const ids = runs
      .map((run) => tell(run, place))
      .flatMap(({ started, ended, steps }) =>
        [started, ended, ...steps.flatMap(({ outcome }) => outcome)]
          .map((event) => Object(event).id)
          .concat(steps.map(({ requestId }) => requestId)),
      );

    expect(ids).toHaveLength(3 * (2 + 3 * 3));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('keeps ids when only the start is another', async () => {
    const run = await theRun(aRow());
    const later = tell(run, { ...place, startedAt: new Date('2027-01-01T00:00:00.000Z') });

    expect(later.steps[0]?.requestId).toBe(tell(run, place).steps[0]?.requestId);
    expect(Object(later.started).id).toBe(Object(tell(run, place).started).id);
  });

  it.each([
    ['in another project', { projectId: 'other' }],
    ['by other agents', { agentPrefix: 'other/' }],
    ['for another user', { userId: 'bob' }],
  ])('is another telling %s: no id is the same', async (_what, more) => {
    const run = await theRun(aRow());
    const idsOf = (telling: ReturnType<typeof tell>) =>
      [telling.started, telling.ended, ...(telling.steps[0]?.outcome ?? [])]
        .map((event) => Object(event).id)
        .concat(telling.steps[0]?.requestId);

    const all = [...idsOf(tell(run, place)), ...idsOf(tell(run, { ...place, ...more }))];

    expect(new Set(all).size).toBe(10);
  });

  it('names a call without an id by its step', async () => {
    const { steps } = tell(await theRun(aRow({ callId: null, step: 4 })), place);

    expect(steps[0]?.request).toMatchObject({ context: { call: 'step-4' } });
  });

  it('keeps the calls of one step apart, as an agent makes several at once', async () => {
    const rows = ['read_file', 'read_file', 'list_files'].map((tool) => aRow({ callId: null, step: 4, tool }));
    const { steps } = tell(await theRun(...rows), place);

    expect(steps.map(({ request }) => Object(request).context.call)).toEqual(['step-4', 'step-4.2', 'step-4.3']);
    expect(new Set(steps.flatMap(({ requestId, outcome }) => [requestId, ...outcome.map((event) => Object(event).id)])).size).toBe(9);
  });

  it('names for each call the agent whose model made it', async () => {
    const { started, steps } = tell(await theRun(aRow(), aRow({ step: 1, model: 'gemini' })), place);

    expect([started, ...(steps[1]?.outcome ?? [])].map((event) => Object(event).agentid)).toEqual([
      'gid://platform/Agent/claude',
      'gid://platform/Agent/gemini',
      'gid://platform/Agent/gemini',
    ]);
    expect(steps.map(({ request }) => Object(request).subject.id)).toEqual(['gid://platform/Agent/claude', 'gid://platform/Agent/gemini']);
  });

  it('shortens a session id that is longer than 200 characters, and only that', async () => {
    const [fits, long] = [await theRun(aRow({ traceId: 'x'.repeat(200) })), await theRun(aRow({ traceId: 'x'.repeat(201) }))];

    expect(sessionIdOf(fits)).toBe('x'.repeat(200));
    expect(sessionIdOf(long)).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['ValueError: a: b', 'ValueError', 'a: b'],
    ['no class here', 'Error', 'no class here'],
    ['two words: x', 'Error', 'two words: x'],
    ['ToolError: line 1\nline 2', 'ToolError', 'line 1\nline 2'],
    ['', 'Error', ''],
  ])('reads %j as class and message', async (error, errorType, message) => {
    const { steps } = tell(await theRun(aRow({ error })), place);

    expect(steps[0]?.outcome[1]).toMatchObject({
      type: 'ai_tool_execution_failed',
      data: { error_type: errorType, error_message: message },
    });
  });
});
