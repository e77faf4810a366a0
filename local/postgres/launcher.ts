import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { chown, lchown, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Refusal } from '../refusal.js';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface Command {
  readonly file: string;
  readonly args: string[];
  /** For `spawn`: the user to become when `file` does not see to it itself. */
  readonly identity: Partial<Account>;
}

/** Puts a Postgres program into the form in which this user can run it. */
export interface Launcher {
  /** Who owns the data folder; undefined when that is simply whoever runs this. */
  readonly owner: Account | undefined;
  command(program: string, args: readonly string[]): Command;
}

type Wrap = Launcher['command'];

/**
 * How to run Postgres on `dataDir` as the present user; as root, as another user, since Postgres refuses root.
 *
 * The first way that really works is taken: it is tried, not worked out from file modes.
 *
 * @throws Refusal when none does.
 */
export async function launcherFor(dataDir: string, postgres: string): Promise<Launcher> {
  const owner = process.getuid?.() === 0 ? accountFor(dataDir) : undefined;
  if (owner !== undefined) await handOver(dataDir, owner);
  const ways = owner === undefined ? [endingWithUs([]), directly] : [...asOther(owner)];
  const command = ways.find((way) => works(way, dataDir, postgres));
  if (command !== undefined) return { owner, command };
  throw new Refusal(
    owner === undefined
      ? `The embedded Postgres (${postgres}) does not run on this machine: set DATABASE_URL to a Postgres 16 or newer.`
      : `Postgres refuses to run as root, and user ${String(owner.uid)} cannot enter ${dataDir}: move the clone to a folder that every user may enter, or set DATABASE_URL.`,
  );
}

const directly: Wrap = (program, args) => ({ file: program, args: [...args], identity: {} });

/** The kernel shuts Postgres down when its parent dies, even by SIGKILL. */
function endingWithUs(privileges: readonly string[]): Wrap {
  return (program, args) => ({
    file: 'setpriv',
    args: ['--pdeathsig', 'INT', ...privileges, '--', program, ...args],
    identity: {},
  });
}

function asOther(owner: Account): readonly Wrap[] {
  const become = ['--reuid', String(owner.uid), '--regid', String(owner.gid), '--clear-groups'];
  // Below a folder that only root may enter, such as /root or the result of mktemp -d.
  const enterAnyFolder = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  return [
    endingWithUs(become),
    endingWithUs([...become, ...enterAnyFolder]),
    (program, args) => ({ file: program, args: [...args], identity: owner }),
  ];
}

function works(wrap: Wrap, dataDir: string, postgres: string): boolean {
  const { file, args, identity } = wrap('/bin/sh', ['-c', 'cd "$1" && exec "$2" --version', 'sh', dataDir, postgres]);
  return spawnSync(file, args, { ...identity, stdio: 'ignore' }).status === 0;
}

/** Whoever owns the database already, so that it stays readable for them; else the machine's `postgres`, else `nobody`. */
function accountFor(dataDir: string): Account {
  const present = statSync(join(dataDir, 'cluster'), { throwIfNoEntry: false });
  if (present !== undefined && present.uid !== 0) return { uid: present.uid, gid: present.gid };
  return accountNamed('postgres') ?? accountNamed('nobody') ?? { uid: 65534, gid: 65534 };
}

function accountNamed(name: string): Account | undefined {
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name);
  if (fields === undefined) return undefined;
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** A data folder that was copied by root (cp -r) belongs to root throughout. */
async function handOver(dataDir: string, owner: Account): Promise<void> {
  if (statSync(dataDir).uid !== owner.uid) await chown(dataDir, owner.uid, owner.gid);
  const cluster = statSync(join(dataDir, 'cluster'), { throwIfNoEntry: false });
  if (cluster === undefined || cluster.uid === owner.uid) return;
  for (const path of await readdir(dataDir, { recursive: true })) await lchown(join(dataDir, path), owner.uid, owner.gid);
}
