import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError } from '../../src/cli/command-error.js';
import { connection, serviceConnection } from '../../src/cli/connection.js';

const running = {
  subgraph: 'http://127.0.0.1:4001/graphql',
  tokens: { developer: 'the demo’s token', policyAdmin: 'a', securityTool: 'b' },
  demo: { projectId: 'the demo’s project' },
};

let folder: string;
let before: string | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connection-'));
  before = process.env['DATA_DIR'];
  process.env['DATA_DIR'] = folder;
});
afterEach(async () => {
  if (before === undefined) delete process.env['DATA_DIR'];
  else process.env['DATA_DIR'] = before;
  await rm(folder, { recursive: true });
});

const written = (content: unknown): Promise<void> =>
  writeFile(join(folder, 'local.json'), typeof content === 'string' ? content : JSON.stringify(content));

describe('the connection of a command', () => {
  it('is what was given', async () => {
    await written(running);

    expect(connection({ url: 'https://governance.example', token: 't', project: 'p' })).toEqual({
      baseUrl: 'https://governance.example',
      token: 't',
      projectId: 'p',
      userId: '',
    });
  });

  it('is what npm start runs, for whatever was not given', async () => {
    await written(running);

    expect(connection({})).toMatchObject({ baseUrl: 'http://127.0.0.1:4001', token: 'the demo’s token', projectId: 'the demo’s project' });
    expect(connection({ project: 'p' })).toMatchObject({ baseUrl: 'http://127.0.0.1:4001', projectId: 'p' });
    expect(connection({ token: 't' })).toMatchObject({ baseUrl: 'http://127.0.0.1:4001', token: 't' });
  });

  it('knows for whom a token speaks', () => {
    const token = `e30.${Buffer.from(JSON.stringify({ sub: 'ada' })).toString('base64url')}.c2ln`;

    expect(connection({ url: 'http://h', token, project: 'p' })).toMatchObject({ userId: 'ada' });
  });

  it('sends the demo’s token nowhere else', async () => {
    await written(running);

    expect(() => connection({ url: 'https://elsewhere.example' })).toThrow(
      new CommandError('Whose token shall be used? Give --token, or set AGENT_GOVERNANCE_TOKEN.'),
    );
  });

  it.each([
    ['http://h:1', 'http://h:1'],
    ['http://h:1/', 'http://h:1'],
    ['http://h:1/graphql', 'http://h:1'],
    ['http://h:1/graphql/', 'http://h:1'],
    ['https://h/governance/', 'https://h/governance'],
  ])('reads %s as %s', (url, baseUrl) => {
    expect(connection({ url, token: 't', project: 'p' }).baseUrl).toBe(baseUrl);
  });

  it.each(['localhost:4001', 'ftp://h', 'h', ''])('takes no %j for a URL', (url) => {
    expect(() => connection({ url, token: 't', project: 'p' })).toThrow(/^--url: must be an http or https URL/);
  });

  it('needs no project for what is about none, and is that of the demo’s policy administrator by default', async () => {
    await written(running);

    expect(serviceConnection({})).toEqual({ baseUrl: 'http://127.0.0.1:4001', token: 'a' });
    expect(serviceConnection({ url: 'https://h/graphql', token: 't' })).toEqual({ baseUrl: 'https://h', token: 't' });
    expect(() => serviceConnection({ url: 'https://h' })).toThrow('Whose token shall be used?');
  });

  it('is told in one sentence that what npm start wrote cannot be read', async () => {
    await written('{"subgraph": ');

    expect(() => connection({})).toThrow(CommandError);
  });
});
