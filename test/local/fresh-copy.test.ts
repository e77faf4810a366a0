import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { anEnvironment, processesOf, runNpm, type Environment, type Script } from './house.js';
import { send } from './operations.js';

jest.setTimeout(180_000);

const root = resolve(import.meta.dirname, '../..');
const NOT_IN_GIT = ['node_modules', 'local/node_modules', '.data', '.git', 'dist', 'src/generated'];

/** A clone as a stranger has it, but for the packages: those are taken from here, so that no network is needed. */
describe('a copy of what is in git', () => {
  let copy: string;
  let environment: Environment;
  let cleanUp: () => Promise<void>;

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'agent-governance-copy-'));
    const isInGit = (path: string): boolean => !NOT_IN_GIT.includes(relative(root, path).split(sep).join('/'));
    await cp(root, copy, { recursive: true, filter: isInGit });
    for (const packages of ['node_modules', 'local/node_modules']) await symlink(join(root, packages), join(copy, packages));
    const place = await anEnvironment();
    ({ cleanUp } = place);
    environment = { ...place.environment, DATA_DIR: join(copy, '.data') };
  });

  afterAll(async () => {
    await cleanUp();
    await rm(copy, { recursive: true, force: true });
  });

  it('runs by npm start, which says what to try, and what it says works', async () => {
    const script = runNpm(copy, ['start'], environment);
    await script.said(/^4\. Replay recorded agent runs/);
    const said = linesOf(script);

    const [decision, audit] = operationsIn(said);
    const decided = await send(...as(await tokenOf('developer')), decision ?? '');
    const seen = await send(...as(await tokenOf('policyAdmin')), audit ?? '');
    const { exitCode } = await interrupted(script);

    expect(said).toContain(`http://127.0.0.1:${environment['GATEWAY_PORT'] ?? ''}/graphql`);
    expect(said).toContain(`http://127.0.0.1:${environment['PORT'] ?? ''}/graphql`);
    expect(said.match(/^ {2}(developer|policyAdmin|securityTool) +ey\S+$/gm)).toHaveLength(3);
    expect(decided).toMatchObject({ data: { agentDecisionRequest: { decision: { verdict: 'ALLOW' }, errors: [] } } });
    expect(seen).toMatchObject({
      data: { project: { name: 'Payments API', agentAuditEvents: { nodes: [{ agent: { name: 'code-reviewer' } }] } } },
    });
    expect({ exitCode, left: processesOf(copy) }).toEqual({ exitCode: 0, left: [] });
  });

  it('starts again on the same data, with one line of JSON on stdout and nothing else', async () => {
    const script = runNpm(copy, ['start', '--silent', '--', '--json'], environment);
    const { gateway, tokens }: { gateway: string; tokens: { policyAdmin: string } } = JSON.parse(await script.said(/^\{/));
    const seen = await send(gateway, { authorization: `Bearer ${tokens.policyAdmin}` }, '{ agentAuditEvents { nodes { type } } }');
    const { exitCode, stdout } = await interrupted(script);

    expect({ exitCode, stdout: stdout.length }).toEqual({ exitCode: 0, stdout: 1 });
    expect(JSON.stringify(seen)).toContain('ai_tool_decision_made');
  });

  it('throws its data away by npm run reset, and says so', async () => {
    const { exitCode, stdout } = await runNpm(copy, ['run', '--silent', 'reset'], environment).ended;

    expect({ exitCode, stdout, isThere: existsSync(join(copy, '.data')) }).toEqual({
      exitCode: 0,
      stdout: [`Thrown away: ${join(copy, '.data')}`],
      isThere: false,
    });
  });

  const as = (token: string): [string, Readonly<Record<string, string>>] => [
    `http://127.0.0.1:${environment['GATEWAY_PORT'] ?? ''}/graphql`,
    { authorization: `Bearer ${token}` },
  ];
  const tokenOf = async (name: string): Promise<string> =>
    (await runNpm(copy, ['run', '--silent', 'token', '--', name], environment).ended).stdout.join('');
});

/** Everything that a script has said on stdout so far. */
function linesOf(script: Script): string {
  return script.lines.stdout.join('\n');
}

/** The GraphQL operations among the commands to paste. */
function operationsIn(text: string): readonly string[] {
  return [...text.matchAll(/-d '(.*)'$/gm)].map(([, body = '']) => {
    const { query }: { query: string } = JSON.parse(body);
    return query;
  });
}

/** Ctrl-C at the terminal: every process of the group gets it. */
async function interrupted(script: Script): ReturnType<() => Script['ended']> {
  process.kill(-(script.child.pid ?? Number.NaN), 'SIGINT');
  return script.ended;
}
