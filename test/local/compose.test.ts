import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { composeSupergraph } from '../../local/gateway/compose.js';

describe('the supergraph', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agent-governance-compose-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('sends each subgraph its requests where it really is, whatever supergraph.yaml says', () => {
    const file = resolve(import.meta.dirname, '../../supergraph.yaml');
    const supergraph = composeSupergraph(file, { governance: 'http://127.0.0.1:7001/graphql' });

    expect([...supergraph.matchAll(/@join__graph\(name: "(\w+)", url: "([^"]+)"\)/g)].map(([, name, url]) => [name, url])).toEqual([
      ['governance', 'http://127.0.0.1:7001/graphql'],
      ['platform', 'http://127.0.0.1:4002/graphql'],
    ]);
  });

  it('names what keeps two subgraphs from being composed', async () => {
    await writeFile(
      join(folder, 'one.graphql'),
      'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { same: Int }',
    );
    await writeFile(
      join(folder, 'two.graphql'),
      'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { same: String }',
    );
    const subgraph = (name: string) => `{ routing_url: "http://${name}", schema: { file: ./${name}.graphql } }`;
    await writeFile(join(folder, 'supergraph.yaml'), `subgraphs: { one: ${subgraph('one')}, two: ${subgraph('two')} }`);

    expect(() => composeSupergraph(join(folder, 'supergraph.yaml'), {})).toThrow(/^The supergraph does not compose:\n.*Query\.same/);
  });
});
