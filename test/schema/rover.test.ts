import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { composeWithBoth, readSubgraphs } from '../../scripts/schema/composition.js';
import { paths } from '../../scripts/schema/files.js';
import { factsOf } from '../../scripts/schema/supergraph-facts.js';

const run = promisify(execFile);
const rover = roverBinary();

/** npm has rover's binary for some machines only; where it has none there is nothing to run. */
const describeRover = rover === undefined ? describe.skip : describe;
if (rover === undefined) console.warn(`Skipped: npm has no rover for ${process.platform}-${process.arch}.`);

describeRover('rover, with a stand-in for its composition plugin', () => {
  let plugins: string;

  beforeAll(async () => {
    plugins = await mkdtemp(join(tmpdir(), 'rover-plugins-'));
    // rover asks for the plugin of exactly the version that the file names.
    const plugin = join(plugins, 'supergraph-v2.9.0');
    const script = fileURLToPath(new URL('rover-plugin.mjs', import.meta.url));
    await writeFile(plugin, `#!/bin/sh\nexec '${process.execPath}' '${script}' "$@"\n`);
    await chmod(plugin, 0o755);
  });
  afterAll(() => rm(plugins, { recursive: true, force: true }));

  it('reads supergraph.yaml and composes what it names', async () => {
    const { stdout } = await runRover(['supergraph', 'compose', '--config', paths.supergraph]);

    const [apollo] = composeWithBoth(readSubgraphs(paths.supergraph));
    expect(factsOf(stdout)).toEqual(factsOf(apollo?.supergraph ?? ''));
  });

  it('refuses a file whose schemas are not beside it', async () => {
    const elsewhere = join(plugins, 'supergraph.yaml');
    await copyFile(paths.supergraph, elsewhere);

    const composing = runRover(['supergraph', 'compose', '--config', elsewhere]);

    await expect(composing).rejects.toThrow('Could not find schema file (./schema.graphql)');
  });

  function runRover(args: readonly string[]): Promise<{ stdout: string }> {
    return run(rover ?? '', [...args], {
      cwd: paths.root,
      env: {
        ...process.env,
        HOME: plugins,
        APOLLO_NODE_MODULES_BIN_DIR: plugins,
        APOLLO_TELEMETRY_DISABLED: '1',
        APOLLO_ROVER_SKIP_UPDATE: '1',
        APOLLO_ELV2_LICENSE: 'accept',
      },
    });
  }
});

/** Where npm put rover's binary for this machine. */
function roverBinary(): string | undefined {
  try {
    const owner = createRequire(import.meta.url).resolve('@apollo/rover/package.json');
    const manifest = createRequire(owner).resolve(`@apollo/rover-${process.platform}-${process.arch}/package.json`);
    return join(dirname(manifest), process.platform === 'win32' ? 'rover.exe' : 'rover');
  } catch {
    return undefined;
  }
}
