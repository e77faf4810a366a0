import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { policiesCommand } from '../../src/cli/policies/command.js';
import { releasePolicy } from '../support/bundles.js';
import { aPublishedPolicy, publishPolicy } from '../support/governing.js';
import { anOrganization, type TestOrganization } from '../support/organization.js';
import { aSubgraph, type Client, type TestSubgraph } from '../support/subgraph.js';

const PERMIT = '// What reads.\r\npermit (principal, action, resource)\r\nwhen { resource.risk <= 1 };\r\n\r\n// é😀 no end';
const FORBID = 'forbid (principal, action, resource)\nwhen { resource.risk >= 3 };\n';
const STRICTER = 'forbid (principal, action, resource)\nwhen { resource.risk >= 2 };\n';

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await aSubgraph();
});
afterAll(() => subgraph.close());

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'as-code-'));
});
afterEach(() => rm(folder, { recursive: true }));

interface Company {
  readonly company: TestOrganization;
  readonly owner: Client;
  /** What a CI job has: a token for policies alone, of a maintainer of the group `core`. */
  readonly robot: Client;
}

async function aCompany(): Promise<Company> {
  const company = await anOrganization(subgraph);
  const owner = await company.member('OWNER', company.id, { userId: `${company.id}/owner` });
  const robot = await company.member('MAINTAINER', company.core, { userId: `${company.id}/robot`, scopes: ['policy:write'] });
  return { company, owner, robot };
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What `agent-governance policies` does, in this process. */
async function ran(args: readonly string[], { company, robot }: Company, client = robot): Promise<Ran> {
  const said = { out: '', err: '' };
  const terminal: NonNullable<Parameters<typeof policiesCommand>[0]> = {
    stdout: { write: (text) => (said.out += text) },
    stderr: { write: (text) => (said.err += text) },
  };
  const [verb = '', ...rest] = args;
  const common = ['--url', subgraph.url, '--token', client.token, '--namespace', company.core];
  try {
    await policiesCommand(terminal).parseAsync([verb, folder, ...common, ...rest], { from: 'user' });
  } catch (error) {
    return { code: 1, out: said.out, err: said.err + (error instanceof Error ? error.message : String(error)) };
  }
  return { code: Number(terminal.exitCode ?? 0), ...said };
}

const put = (files: Readonly<Record<string, string>>): Promise<unknown> =>
  Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(folder, name), content)));

const idOf = async (client: Client, namespaceId: string, name: string): Promise<string> => {
  const { data } = await client.graphql<{ agentPolicies: { nodes: { id: string; name: string }[] } }>(
    'query ($n: ID!) { agentPolicies(namespaceId: $n, first: 100) { nodes { id name } } }',
    { n: namespaceId },
  );
  return data?.agentPolicies.nodes.find((policy) => policy.name === name)?.id ?? '';
};

const COMMAND = fileURLToPath(new URL('../../bin/agent-governance.mjs', import.meta.url));

/** What the real command does, as a CI job runs it. */
function spawned(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<Ran> {
  const child = spawn(process.execPath, [COMMAND, 'policies', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '', ...environment },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => (out += String(text)));
  child.stderr.on('data', (text) => (err += String(text)));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, out, err })));
}

describe('the command, in a CI job', () => {
  it('plans, applies, changes nothing the second time, and exports what was applied to the byte', async () => {
    const { company, owner, robot } = await aCompany();
    await put({ 'all.cedar': PERMIT, 'a%2Fb.cedar': FORBID, 'a%2Fb.cases.json': '{ "cases": [] }', 'README.md': '# Ours' });
    const environment = {
      ...{ AGENT_GOVERNANCE_URL: subgraph.url, AGENT_GOVERNANCE_TOKEN: robot.token, AGENT_GOVERNANCE_NAMESPACE: company.core },
      CI_PROJECT_URL: 'https://git.example/policies',
    };

    const planned = await spawned(['plan', folder], environment);
    expect(planned).toMatchObject({ code: 2, err: 'README.md: is nothing of a policy’s; left alone.\n' });
    expect(planned.out).toContain('+ a/b: is new\n    --- /dev/null\n    +++ b/a%2Fb.cedar\n    @@ -0,0 +1,2 @@\n    +forbid');
    expect(planned.out).toContain('    +// What reads.␍\n');
    expect(planned.out).toContain('Plan: 2 to create, 0 to publish, 0 to retire, 0 to adopt; 0 unchanged.\n');

    expect(await spawned(['apply', folder, '--message', 'Commit 1', '--json'], environment)).toMatchObject({ code: 0 });
    expect(await spawned(['plan', folder], environment)).toMatchObject({ code: 0, out: expect.stringContaining('No changes') });

    const elsewhere = join(folder, '.exported');
    expect(await spawned(['export', elsewhere], environment)).toMatchObject({ code: 0 });
    for (const name of ['all.cedar', 'a%2Fb.cedar', 'a%2Fb.cases.json'])
      expect((await readFile(join(elsewhere, name))).equals(await readFile(join(folder, name)))).toBe(true);
    expect(await readdir(elsewhere)).toHaveLength(3);

    const { data } = await owner.graphql(
      `query ($n: ID!) { agentPolicies(namespaceId: $n) { nodes { name origin appliedAsCode { repository } latest { message text } } } }`,
      { n: company.core },
    );
    const said = { origin: 'AS_CODE', appliedAsCode: { repository: 'https://git.example/policies' } };
    expect(data).toMatchObject({
      agentPolicies: {
        nodes: [
          { name: 'a/b', ...said, latest: { message: 'Commit 1', text: FORBID } },
          { name: 'all', ...said, latest: { text: PERMIT } },
        ],
      },
    });
  }, 60_000);
});

describe('policies plan', () => {
  it('says as JSON what would change, on what state, and is what apply --plan applies', async () => {
    const here = await aCompany();
    await put({ 'a.cedar': PERMIT, 'gone.cedar': STRICTER });
    await ran(['apply'], here);
    await rm(join(folder, 'gone.cedar'));
    await put({ 'a.cedar': FORBID, 'new.cedar': PERMIT, 'policies.json': '{"policies": {"new": {"mode": "SHADOW"}}}' });

    const out = join(folder, '.plan.json');
    const planned = await ran(['plan', '--json', '--out', out], here);

    expect(planned.code).toBe(2);
    expect(await readFile(out, 'utf8')).toBe(planned.out);
    expect(JSON.parse(planned.out)).toMatchObject({
      ...{ format: 1, namespaceId: here.company.core, isEmpty: false, adopt: [], refused: [] },
      folder: { policies: 2, others: [] },
      state: { policies: [{ name: 'a', revision: 1, origin: 'AS_CODE' }, { name: 'gone' }] },
      summary: { create: 1, publish: 1, retire: 1, adopt: 0, keep: 0 },
      changes: [
        { name: 'a', action: 'PUBLISH', revision: 1, diff: expect.stringContaining('+forbid (principal, action, resource)\n') },
        { name: 'gone', action: 'RETIRE', diff: expect.stringContaining('+++ /dev/null\n') },
        { name: 'new', action: 'CREATE', mode: 'SHADOW', policyId: null },
      ],
    });
    const applied = await ran(['apply', '--plan', out, '--json'], here);
    expect(applied.code).toBe(0);
    expect(JSON.parse(applied.out)).toMatchObject({ outcome: 'applied', results: [{ action: 'PUBLISH', revision: 2 }, {}, {}] });
    // What was planned is done: there is nothing left to be refused.
    expect(await ran(['apply', '--plan', out], here)).toMatchObject({ code: 0, out: 'No changes: the namespace is as the folder says.\n' });
  });

  it('needs no more than a member, and shows nobody else anything', async () => {
    const here = await aCompany();
    await put({ 'a.cedar': PERMIT });
    const [reporter, neighbour] = [
      await here.company.member('REPORTER', here.company.api, { scopes: ['audit:read'] }),
      await here.company.member('OWNER', here.company.shop),
    ];

    expect(await ran(['plan'], here, reporter)).toMatchObject({ code: 2 });
    expect(await ran(['plan'], here, neighbour)).toMatchObject({ code: 1, err: expect.stringContaining('There is no namespace') });
    expect(await ran(['plan'], here, (await aCompany()).owner)).toMatchObject({ code: 1 });
  });
});

describe('policies test', () => {
  const cases = (verdict: string): string =>
    `{\n  "cases": [\n    { "name": "a read", "call": { "tool": { "id": "files/read", "actionType": "READ" } }, "expect": { "verdict": "${verdict}" } }\n  ]\n}\n`;

  it('runs the cases of the folder beside all of it, and changes nothing', async () => {
    const here = await aCompany();
    const maintainer = await here.company.member('MAINTAINER', here.company.core, { scopes: [] });
    await put({ 'a.cedar': PERMIT, 'a.cases.json': cases('ALLOW'), 'b.cedar': STRICTER });

    expect(await ran(['test'], here, maintainer)).toMatchObject({
      code: 0,
      out: 'a: 1 of 1 case passes\n1 passed, 0 failed; 0 warnings to confirm; 1 policy without cases.\n',
    });
    await put({ 'a.cases.json': cases('ASK') });
    const failed = await ran(['test', '--coverage'], here, maintainer);
    expect(failed.code).toBe(1);
    expect(failed.out).toContain('a: 0 of 1 case passes\n  a.cases.json:3: "a read": ');
    expect(failed.out).toContain('  a.cedar:3:1: In no case this when is false.\n');
    expect(await idOf(here.owner, here.company.core, 'a')).toBe('');
    // What fails is not applied either.
    expect(await ran(['apply'], here)).toMatchObject({ code: 1, err: expect.stringContaining('  a.cases.json:3: "a read": ') });
  });

  it('fails for a warning until it is confirmed, in the folder or by hand', async () => {
    const here = await aCompany();
    await put({ 'stop.cedar': 'forbid (principal, action, resource);\n' });

    const warned = await ran(['test', '--json'], here);
    expect(warned.code).toBe(1);
    const said: unknown = JSON.parse(warned.out);
    expect(said).toMatchObject({ outcome: 'failed', unconfirmed: 1, tests: [{ warnings: [{ kind: 'DENIES_EVERY_AGENT' }] }] });
    const [name = ''] = /DENIES_EVERY_AGENT:[^"]+/.exec(warned.out) ?? [];
    expect(await ran(['apply'], here)).toMatchObject({ code: 1, err: expect.stringContaining(`Its name: ${name}\n  To confirm one: `) });
    expect(await ran(['test', '--confirm', name], here)).toMatchObject({ code: 0, out: expect.stringContaining('(confirmed)') });
    await put({ 'policies.json': JSON.stringify({ confirm: [name] }) });
    expect(await ran(['apply'], here)).toMatchObject({ code: 0 });
    expect(await ran(['export', '--force'], here)).toMatchObject({ code: 0, out: expect.stringContaining('0 files written') });
  });
});

describe('policies apply', () => {
  it('is refused with the file, the line and what would be right, and applies nothing', async () => {
    const here = await aCompany();
    await put({ 'a.cedar': PERMIT, 'b.cedar': 'permit (principal, action, resource)\nwhen { resource.rsk > 1 };', 'b.cases.json': '[' });

    const { code, err } = await ran(['apply'], here);

    expect(code).toBe(1);
    expect(err).toContain('  b.cedar:2:8: resource has no attribute “rsk”. Did you mean “resource.risk”?\n');
    expect(err).toMatch(/ {2}b\.cases\.json:1:\d+: This is no JSON\./);
    expect(await idOf(here.owner, here.company.core, 'a')).toBe('');
  });

  it('needs the scope and the role', async () => {
    const here = await aCompany();
    await put({ 'a.cedar': PERMIT });
    const [unscoped, developer] = [
      await here.company.member('MAINTAINER', here.company.core, { scopes: ['audit:read'] }),
      await here.company.member('DEVELOPER', here.company.core),
    ];

    expect(await ran(['apply'], here, unscoped)).toMatchObject({ code: 1, err: expect.stringContaining('scope policy:write') });
    expect(await ran(['apply'], here, developer)).toMatchObject({ code: 1, err: expect.stringContaining('MAINTAINER') });
  });

  it('refuses what was changed by hand, until a plan has shown it or it is adopted', async () => {
    const here = await aCompany();
    const { company, owner } = here;
    const out = join(folder, '.plan.json');
    await put({ 'a.cedar': FORBID });
    await ran(['apply'], here);
    await ran(['plan', '--out', out], here);
    const policyId = await idOf(owner, company.core, 'a');
    await releasePolicy(owner, policyId);
    await publishPolicy(owner, { policyId, basedOn: 1, text: STRICTER });

    const refused = await ran(['apply'], here);
    expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('a: it was released to be changed by hand, the latest by ') });
    const stale = await ran(['apply', '--plan', out, '--json'], here);
    expect(stale).toMatchObject({ code: 3, err: expect.stringContaining('  a: seen revision 1 as code, now revision 2 by hand\n') });
    expect(JSON.parse(stale.out)).toMatchObject({ outcome: 'drift', refusals: [{ __typename: 'AgentPolicyBundleConflict' }] });

    expect((await ran(['plan', '--out', out], here)).code).toBe(2);
    expect(await ran(['apply', '--plan', out], here)).toMatchObject({
      code: 0,
      out: 'Applied: 0 created, 1 published, 0 retired, 0 adopted; 0 unchanged.\n',
    });
  });

  it('takes over what was always written by hand if it is named, and never by a plan alone', async () => {
    const here = await aCompany();
    const { company, owner } = here;
    const out = join(folder, '.plan.json');
    await aPublishedPolicy(owner, company.core, PERMIT, 'mine');
    await put({ 'mine.cedar': PERMIT });

    await ran(['plan', '--out', out], here);
    expect(await ran(['apply', '--plan', out], here)).toMatchObject({ code: 3, err: expect.stringContaining('mine: HAND_WRITTEN') });
    expect(await ran(['apply'], here)).toMatchObject({ code: 3 });
    expect(await ran(['apply', '--adopt', 'yours'], here)).toMatchObject({
      code: 1,
      err: '--adopt: there is no policy "yours" in the plan.',
    });
    expect(await ran(['apply', '--adopt', 'mine'], here)).toMatchObject({
      code: 0,
      out: expect.stringContaining('Applied: 0 created, 0 published, 0 retired, 1 adopted; 0 unchanged.\n'),
    });
  });

  it('brings a namespace that was written by hand into a folder, and on as code', async () => {
    const here = await aCompany();
    await aPublishedPolicy(here.owner, here.company.core, PERMIT, 'one');
    await aPublishedPolicy(here.owner, here.company.core, FORBID, 'two');

    expect(await ran(['export'], here)).toMatchObject({ code: 0, out: expect.stringContaining('0 files written') });
    expect(await ran(['export', '--all'], here)).toMatchObject({ code: 0, out: expect.stringContaining('2 files written') });
    expect(await ran(['apply', '--adopt-all'], here)).toMatchObject({ code: 0, out: expect.stringContaining('2 adopted; 0 unchanged') });
    expect(await ran(['plan'], here)).toMatchObject({ code: 0 });
  });

  it('takes an empty folder for a mistake, unless it is told otherwise', async () => {
    const here = await aCompany();
    await put({ 'a.cedar': PERMIT });
    await ran(['apply'], here);
    await rm(join(folder, 'a.cedar'));
    await mkdir(join(folder, 'docs'));

    expect(await ran(['apply'], here)).toMatchObject({ code: 1, err: expect.stringContaining('--allow-empty') });
    expect(await ran(['apply', '--allow-empty'], here)).toMatchObject({ code: 0, out: expect.stringContaining('1 retired') });
  });

  it('applies no plan of another folder, and no file that is no plan', async () => {
    const here = await aCompany();
    const out = join(folder, '.plan.json');
    await put({ 'a.cedar': PERMIT });
    await ran(['plan', '--out', out], here);
    await put({ 'a.cedar': FORBID });

    expect(await ran(['apply', '--plan', out], here)).toMatchObject({ code: 1, err: expect.stringContaining('Plan again') });
    await writeFile(out, '{"format": 0}');
    expect(await ran(['apply', '--plan', out], here)).toMatchObject({ code: 1, err: expect.stringContaining('is no plan') });
  });
});
