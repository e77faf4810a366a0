import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { freePort } from '../../local/ports.js';

/** How many numbered databases `startRedis` offers. */
export const databaseCount = 512;

export interface RunningRedis {
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** Ends the process and waits until it is gone. Calling it again is harmless. */
  stop(): Promise<void>;
}

/**
 * Starts a real redis-server that keeps nothing on disk, and waits until it accepts connections.
 *
 * @param port where to listen on 127.0.0.1; a free one when left out. Give the port of a stopped one to bring it back.
 */
export async function startRedis(port?: number): Promise<RunningRedis> {
  const attempts = port === undefined ? 5 : 1;
  for (let attempt = 1; ; attempt++) {
    const chosen = port ?? (await freePort());
    const child = spawnRedis(chosen);
    const refusal = await readyOrRefusal(child);
    if (refusal === undefined) return running(child, chosen);

    // Between finding a free port and listening on it, somebody else may take it.
    const taken = refusal.includes('Address already in use');
    if (!taken || attempt === attempts) throw new Error(`redis-server did not start on port ${String(chosen)}: ${refusal}`);
  }
}

function spawnRedis(port: number): ChildProcess {
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    databases: String(databaseCount),
    save: '',
    appendonly: 'no',
    dir: '/',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
}

/** Undefined once the server says that it is ready; what it printed when it ended instead. */
function readyOrRefusal(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const printed: string[] = [];
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve(printed.join('\n')));
    if (child.stdout === null) throw new Error('redis-server was started without a pipe for what it prints.');
    createInterface({ input: child.stdout }).on('line', (line) => {
      printed.push(line);
      if (line.includes('Ready to accept connections')) resolve(undefined);
    });
  });
}

function running(child: ChildProcess, port: number): RunningRedis {
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = (): boolean => child.kill('SIGKILL');
  // Nothing of ours outlives the process that started it.
  process.once('exit', kill);
  return {
    url: `redis://127.0.0.1:${String(port)}`,
    port,
    async stop() {
      process.off('exit', kill);
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await gone;
    },
  };
}
