import {
  levelIn,
  type Agent,
  type Directory,
  type DirectoryUser,
  type EpochHints,
  type Namespace,
  type Standing,
} from '../directory/index.js';
import { Failure, hasJustBeen, within, type Clock, type OrganizationId, type UserId } from '../kernel/index.js';
import type { InForce, PolicyReader, PolicySet } from '../policy/index.js';
import { toolNamed, type NamedTool, type ToolReader } from '../tools/index.js';
import { keepPolicySets, type Shadows } from './policy-sets.js';
import type { Trust } from './trust.js';

export interface Snapshotting {
  readonly directory: Directory;
  readonly policies: Pick<PolicyReader, 'inForce'>;
  readonly tools: ToolReader;
  readonly trust: Trust;
  readonly hints: EpochHints;
  readonly clock: Clock;
  /** How long a word about the epoch is waited for, CONFIRM_WITHIN_MILLISECONDS unless it is said. */
  readonly confirmWithinMilliseconds?: number;
}

/** Everything that decisions of one organization read, as it is at `epoch`. Not outside of `Snapshots.read`. */
export interface Facts {
  readonly epoch: number;
  /** When the policies were read: what had ended by then is not among them. */
  readonly asOf: Date;
  project(id: string): Promise<Namespace | null>;
  /** The project's line of namespaces, from the organization down to the project. */
  line(project: Namespace): Promise<readonly Namespace[]>;
  agent(id: string): Promise<Agent | null>;
  user(id: string): Promise<DirectoryUser | null>;
  /** What the name means in the project. */
  tool(project: Namespace, name: string): Promise<NamedTool>;
  /** The level of the user's highest role in the project or above; 0 for no member. */
  level(userId: UserId, project: Namespace): Promise<number>;
  /** Every role of the user. */
  standing(userId: UserId): Promise<Standing>;
  /** Anything else that decisions read, when it was read at this epoch; else `Snapshots.read` begins anew. Not remembered. */
  atThisEpoch<Value>(reading: Promise<Value>): Promise<Value>;
  /** The policies of the project's line of namespaces that decide calls at `now`. */
  policySet(project: Namespace, now: Date): PolicySet;
  /** The same as if those that are only watched were enforced; null where none is watched. */
  shadows(project: Namespace, now: Date): Shadows | null;
  /** The policies of the project's line of namespaces that are in force at a moment from `asOf` on, enforced or watched. */
  inForce(project: Namespace, at: Date): InForce;
}

export interface Snapshots {
  /**
   * The facts to decide with, at an epoch that was confirmed less than 500 ms ago and after every hint that came.
   *
   * Made ready at once after a hint, where they were asked for in the last minute: whoever asks next need not wait for it.
   *
   * @throws Failure UNAVAILABLE, or whatever the store throws, when the epoch cannot be confirmed within a second: nothing is decided on
   * facts that may be old, and nobody waits longer to hear that.
   */
  current(organizationId: OrganizationId): Promise<Facts>;

  /**
   * Reads from such facts, all of one epoch: `work` begins anew when the epoch moves while it reads.
   *
   * @throws Failure UNAVAILABLE when it moves every time.
   */
  read<Result>(organizationId: OrganizationId, work: (facts: Facts) => Promise<Result>): Promise<Result>;
  close(): void;
}

/** How long an epoch counts without being asked for again. Bounds how late a change takes effect when every hint is lost. */
const CONFIRMED_MILLISECONDS = 500;
/** How long a word about the epoch, or about anything that is of that epoch, is waited for: as long as a change may take to reach everybody. */
const CONFIRM_WITHIN_MILLISECONDS = 1_000;
/** The same of all policies: ten thousand of them take a while when none is known yet. */
const READ_WITHIN_MILLISECONDS = 5_000;
/** For how long after it was asked about last an organization is made ready anew before anybody asks. */
const ASKED_MILLISECONDS = 60_000;
/** How often reading begins anew when the epoch moves meanwhile. */
const MAX_TRIES = 10;
/** The most organizations kept ready in one process. */
const KEPT_ORGANIZATIONS = 1_000;
/** The most projects, agents, tools and users remembered of one organization. */
const KEPT_FACTS = 50_000;

interface Kept {
  readonly facts: Facts;
  readonly confirmedAt: number;
  /** When the organization was asked about last. */
  readonly asked: { at: number };
}

/** Keeps facts in memory, per organization, and replaces them as a whole when the organization's epoch has moved. */
export function keepSnapshots(given: Snapshotting): Snapshots {
  const deps = withDeadlines(given);
  const kept = new Map<OrganizationId, Kept>();
  const underWay = new Map<OrganizationId, Promise<Facts>>();

  // A hint voids what was confirmed, and what is being confirmed right now: that may have looked too early.
  const expire = (organizationId: OrganizationId): void => {
    const entry = kept.get(organizationId);
    if (entry !== undefined) kept.set(organizationId, { ...entry, confirmedAt: Number.NEGATIVE_INFINITY });
    underWay.delete(organizationId);
  };
  const unsubscribe = deps.hints.onMove((organizationId) => {
    expire(organizationId);
    const asked = kept.get(organizationId)?.asked.at ?? Number.NEGATIVE_INFINITY;
    if (hasJustBeen(asked, deps.clock().getTime(), ASKED_MILLISECONDS)) prepare(organizationId);
  });
  // What was made ready with an evaluator that is not trusted any more is of no use, though nothing else has changed.
  const forget = deps.trust.onDistrust((organizationId) => {
    kept.delete(organizationId);
    underWay.delete(organizationId);
  });

  const confirm = async (organizationId: OrganizationId, isLatest: () => boolean): Promise<Facts> => {
    const startedAt = deps.clock().getTime();
    const before = kept.get(organizationId);
    const epoch = await deps.directory.epoch(organizationId);
    // When the clock was set back, something may be in force again that was not read.
    const isSame = before?.facts.epoch === epoch && before.facts.asOf.getTime() <= startedAt;
    const facts = isSame ? before.facts : await factsFrom(deps, organizationId, epoch);
    const asked = kept.get(organizationId)?.asked ?? { at: startedAt };
    if (isLatest()) remember(kept, organizationId, { facts, confirmedAt: startedAt, asked });
    return facts;
  };

  const current = (organizationId: OrganizationId): Promise<Facts> => {
    const entry = kept.get(organizationId);
    if (entry === undefined) return looked(organizationId);
    const now = deps.clock().getTime();
    entry.asked.at = now;
    return hasJustBeen(entry.confirmedAt, now, CONFIRMED_MILLISECONDS) ? Promise.resolve(entry.facts) : looked(organizationId);
  };

  /** Confirms, or waits for whoever does already. */
  const looked = (organizationId: OrganizationId): Promise<Facts> => {
    const already = underWay.get(organizationId);
    if (already !== undefined) return already;
    const confirming: Promise<Facts> = confirm(organizationId, () => underWay.get(organizationId) === confirming).finally(() => {
      if (underWay.get(organizationId) === confirming) underWay.delete(organizationId);
    });
    underWay.set(organizationId, confirming);
    return confirming;
  };

  const preparing = new Map<OrganizationId, { isOutdated: boolean }>();
  /** Makes the facts ready before anybody asks; one time after the other, however fast hints come. What fails is for whoever asks next. */
  const prepare = (organizationId: OrganizationId): void => {
    const already = preparing.get(organizationId);
    if (already !== undefined) {
      already.isOutdated = true;
      return;
    }
    const state = { isOutdated: false };
    preparing.set(organizationId, state);
    looked(organizationId)
      .catch(() => undefined)
      .finally(() => {
        preparing.delete(organizationId);
        if (state.isOutdated && kept.has(organizationId)) prepare(organizationId);
      });
  };

  return {
    current,
    async read(organizationId, work) {
      for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
        try {
          return await work(await current(organizationId));
        } catch (error) {
          if (!(error instanceof EpochMoved)) throw error;
          expire(organizationId);
        }
      }
      throw new Failure('UNAVAILABLE', 'Policies, tools or members change faster than they can be read. Try again.');
    },
    close() {
      unsubscribe();
      forget();
      kept.clear();
    },
  };
}

const UNCONFIRMED = 'Whether policies, tools or members have changed could not be learnt within a second. Try again.';

/** The same with everything that is read bounded in time: a database that hangs must not hold whoever waits for a decision. */
function withDeadlines(deps: Snapshotting): Snapshotting {
  const { directory, policies, confirmWithinMilliseconds = CONFIRM_WITHIN_MILLISECONDS } = deps;
  return {
    ...deps,
    directory: {
      ...directory,
      epoch: (organizationId) => within(confirmWithinMilliseconds, UNCONFIRMED, directory.epoch(organizationId)),
    },
    policies: {
      inForce: (organizationId, asOf) => within(READ_WITHIN_MILLISECONDS, UNCONFIRMED, policies.inForce(organizationId, asOf)),
    },
  };
}

function remember(kept: Map<OrganizationId, Kept>, organizationId: OrganizationId, entry: Kept): void {
  kept.delete(organizationId);
  const [oldest] = kept.keys();
  if (kept.size >= KEPT_ORGANIZATIONS && oldest !== undefined) kept.delete(oldest);
  kept.set(organizationId, entry);
}

/** What was read may be of another epoch than what was read before. */
class EpochMoved extends Error {}

/** The facts at `epoch`, or at a later one when it moves while the policies are read. */
async function factsFrom(deps: Snapshotting, organizationId: OrganizationId, epoch: number): Promise<Facts> {
  for (let at = epoch, tries = 1; tries <= MAX_TRIES; tries += 1) {
    const facts = await factsAt(deps, organizationId, at);
    const now = await deps.directory.epoch(organizationId);
    if (now === at) return facts;
    at = now;
  }
  throw new EpochMoved();
}

/** Policies are read at once; the rest as it is asked for, and then kept. */
async function factsAt(deps: Snapshotting, organizationId: OrganizationId, epoch: number): Promise<Facts> {
  const asOf = deps.clock();
  const policies = await deps.policies.inForce(organizationId, asOf);
  const sets = keepPolicySets(deps.trust.engineFor(organizationId, policies), policies);
  const projects = new Memory<Namespace | null>();
  const lines = new Memory<readonly Namespace[]>();
  const agents = new Memory<Agent | null>();
  const users = new Memory<DirectoryUser | null>();
  const tools = new Memory<NamedTool>();
  const standings = new Memory<Standing>();
  const atThisEpoch = async <Value>(reading: Promise<Value>): Promise<Value> => {
    const value = await reading;
    if ((await deps.directory.epoch(organizationId)) !== epoch) throw new EpochMoved();
    return value;
  };
  const promptly = <Value>(reading: Promise<Value>): Promise<Value> =>
    atThisEpoch(within(CONFIRM_WITHIN_MILLISECONDS, UNCONFIRMED, reading));
  const standingOf = (userId: UserId): Promise<Standing> =>
    standings.get(userId, () => promptly(deps.directory.standing(organizationId, userId)));
  return {
    epoch,
    asOf,
    project: (id) =>
      projects.get(id, async () => {
        const found = await promptly(deps.directory.namespaces(organizationId, [id]));
        return found.find(({ kind }) => kind === 'PROJECT') ?? null;
      }),
    line: (project) =>
      lines.get(project.id, async () => {
        const found = await promptly(deps.directory.namespaces(organizationId, project.ancestors));
        return project.ancestors.flatMap((id) => found.find((namespace) => namespace.id === id) ?? []);
      }),
    user: (id) => users.get(id, () => promptly(deps.directory.user(organizationId, id))),
    agent: (id) => agents.get(id, () => promptly(deps.directory.agent(organizationId, id))),
    tool: ({ id, ancestors }, name) =>
      tools.get(JSON.stringify([id, name]), () => promptly(toolNamed(deps.tools, organizationId, ancestors, name))),
    level: async (userId, project) => levelIn(await standingOf(userId), project),
    standing: standingOf,
    atThisEpoch,
    policySet: sets.at,
    shadows: sets.shadowsAt,
    inForce: sets.inForceAt,
  };
}

/** Remembers what was read, up to KEPT_FACTS values; what fails is not remembered. */
class Memory<Value> {
  readonly #values = new Map<string, Promise<Value>>();

  get(key: string, read: () => Promise<Value>): Promise<Value> {
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    if (this.#values.size >= KEPT_FACTS) this.#values.clear();
    const reading = read();
    this.#values.set(key, reading);
    reading.catch(() => this.#values.delete(key));
    return reading;
  }
}
