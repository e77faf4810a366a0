import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { askCommand, type Terminal } from '../../src/cli/ask.js';
import { aPublishedPolicy } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const POLICY = `permit (principal, action, resource);
@id("no-keys") @reason("Keys are people's") @advice("Ask a human.")
forbid (principal, action, resource) when { resource.hasTag("path") && resource.getTag("path") like "*.pem" };
@approval("maintainer:2")
forbid (principal, action, resource in Tool::"deploy") unless { context has approval && context.approval.level >= 40 && context.approval.count >= 2 };
@oblige("redact:pii")
forbid (principal, action, resource in Tool::"read_mail") unless { context.promises.contains("redact:pii") };`;

let subgraph: TestSubgraph;
let company: TestOrganization;
let ada: Client;
beforeAll(async () => {
  subgraph = await aSubgraph();
  company = await anOrganization(subgraph);
  ada = await company.member('DEVELOPER', company.api, { userId: 'ada' });
  await aPublishedPolicy(await company.member('OWNER', company.id), company.id, POLICY, 'base');
});
afterAll(() => subgraph.close());

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const ofCall = (tool: string): readonly string[] => ['--project', company.api, '--agent', company.coder, '--tool', tool];

/** What `agent-governance ask` does, in this process. */
async function ran(args: readonly string[], client = ada): Promise<Ran> {
  const said = { out: '', err: '' };
  const terminal: Terminal = {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
  };
  try {
    await askCommand(terminal)
      .exitOverride()
      .configureOutput({ writeErr: (text) => (said.err += text), writeOut: (text) => (said.out += text) })
      .parseAsync(['--url', subgraph.url, '--token', client.token, ...args], { from: 'user' });
  } catch (error) {
    return { code: 1, out: said.out, err: said.err + (error instanceof Error ? error.message : String(error)) };
  }
  return { code: Number(terminal.exitCode ?? 0), ...said };
}

/** The event that an answer names, as it is recorded. */
async function recordOf({ out }: Ran): Promise<unknown> {
  const id = /^event +(\S+)$/m.exec(out)?.[1];
  const { data } = await ada.graphql<{ event: unknown }>(
    `query ($id: ID!) { event: agentAuditEvent(id: $id) { verdict sessionId callId surface executionMode toolName
      payload { ... on AgentDecisionPayload { arguments decision { requestId facts } } } } }`,
    { id },
  );
  return data?.event;
}

describe('agent-governance ask', () => {
  it('says that a call is allowed, by which policy and under which event, and ends with 0', async () => {
    const asked = await ran(ofCall('read_file'));

    expect(asked).toEqual({
      code: 0,
      err: '',
      out: expect.stringMatching(/^ALLOW {5}The call is allowed\. \(PERMITTED\)\npermit {4}base, revision 1\nevent {5}[0-9a-f-]{36}\n$/),
    });
    expect(await recordOf(asked)).toMatchObject({ verdict: 'ALLOW', toolName: 'read_file' });
  });

  it('says why a call is denied, and what to do instead, and ends with 4', async () => {
    const asked = await ran([...ofCall('read_file'), '--arguments', '{"path": "a.pem"}']);

    expect(asked.code).toBe(4);
    expect(asked.out).toContain("(FORBIDDEN)\nforbid    base, revision 1, no-keys: Keys are people's\nadvice    Ask a human.\nevent");
    expect(await recordOf(asked)).toMatchObject({ payload: { arguments: { path: 'a.pem' } } });
  });

  it('says whose approval is needed, and ends with 3', async () => {
    const asked = await ran(ofCall('deploy'));

    expect(asked.code).toBe(3);
    expect(asked.out).toMatch(/^ASK .*\(APPROVAL_NEEDED\)\n(.*\n)*approval {2}of 2, of level 40 or higher\nevent/);
  });

  it('says what must be done where it is promised', async () => {
    expect(await ran(ofCall('read_mail'))).toMatchObject({ code: 4, out: expect.stringContaining('OBLIGATION_NEEDED') });
    expect(await ran([...ofCall('read_mail'), '--promise', 'redact'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('\nmust do   redact:pii\n'),
    });
  });

  it('asks with every circumstance that was given', async () => {
    const asked = await ran([
      ...ofCall('read_file'),
      ...['--session', 'run', '--call', 'c', '--environment', 'staging', '--branch', 'main', '--branch-protected', 'false'],
      ...['--surface', 'CI', '--mode', 'INTERACTIVE', '--request-id', 'r'],
    ]);

    expect(await recordOf(asked)).toMatchObject({
      ...{ sessionId: 'run', callId: 'c', surface: 'CI', executionMode: 'INTERACTIVE' },
      payload: { decision: { requestId: 'r', facts: { environment: 'staging', branch: 'main', branchProtected: false } } },
    });
  });

  it('prints the answer as the service gave it, as one line of JSON', async () => {
    const { out, code } = await ran([...ofCall('deploy'), '--json']);

    expect(code).toBe(3);
    expect(out.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(out)).toMatchObject({
      decision: false,
      context: { verdict: 'ASK', approvalNeeded: { level: 40, count: 2 }, actionType: 'DESTROY', isRepeated: false },
    });
  });

  it.each([
    ['arguments that are no object', ['--arguments', '[1]'], 'must be a JSON object'],
    ['a number that no double holds', ['--arguments', '{"account": 9007199254740993}'], 'arguments.account'],
    ['a protection that is neither', ['--branch-protected', 'maybe'], 'must be true or false'],
    ['a surface that there is not', ['--surface', 'MOON'], 'context.surface: must be one of WEB, IDE'],
    ['a project that is not there', ['--project', 'nowhere'], 'The service did not decide: There is no such project'],
  ])('ends with 1 and one sentence for %s', async (_what, more, sentence) => {
    const asked = await ran([...ofCall('read_file'), ...more]);

    expect(asked).toMatchObject({ code: 1, out: '', err: expect.stringContaining(sentence) });
  });

  it('ends with 1 where the token may not ask', async () => {
    const reader = await company.member('DEVELOPER', company.api, { scopes: ['audit:read'] });

    expect(await ran(ofCall('read_file'), reader)).toMatchObject({ code: 1, err: expect.stringContaining('scope decision:request') });
  });

  it('is a command of its own in a shell, with the connection from its environment', async () => {
    const command = fileURLToPath(new URL('../../bin/agent-governance.mjs', import.meta.url));
    const child = spawn(process.execPath, [command, 'ask', ...ofCall('deploy')], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, AGENT_GOVERNANCE_URL: subgraph.url, AGENT_GOVERNANCE_TOKEN: ada.token },
    });

    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(3);
  });

  it('documents its exit codes', async () => {
    expect((await ran(['--help'])).out).toContain('Exit codes: 0 ALLOW, 3 ASK, 4 DENY, 1 nothing was decided');
  });
});
