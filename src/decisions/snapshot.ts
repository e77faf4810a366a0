import {
  levelIn,
  type Agent,
  type Directory,
  type DirectoryUser,
  type EpochHints,
  type Namespace,
  type Standing,
} from '../directory/index.js';
import { Failure, hasJustBeen, type Clock, type OrganizationId, type UserId } from '../kernel/index.js';
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
   * @throws whatever the store throws when the epoch cannot be confirmed: nothing is decided on facts that may be old.
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
/** How often reading begins anew when the epoch moves meanwhile. */
const MAX_TRIES = 10;
/** The most organizations kept ready in one process. */
const KEPT_ORGANIZATIONS = 1_000;
/** The most projects, agents, tools and users remembered of one organization. */
const KEPT_FACTS = 50_000;

interface Kept {
  readonly facts: Facts;
  readonly confirmedAt: number;
}

/** Keeps facts in memory, per organization, and replaces them as a whole when the organization's epoch has moved. */
export function keepSnapshots(deps: Snapshotting): Snapshots {
  const kept = new Map<OrganizationId, Kept>();
  const underWay = new Map<OrganizationId, Promise<Facts>>();

  // A hint voids what was confirmed, and what is being confirmed right now: that may have looked too early.
  const expire = (organizationId: OrganizationId): void => {
    const entry = kept.get(organizationId);
    if (entry !== undefined) kept.set(organizationId, { ...entry, confirmedAt: Number.NEGATIVE_INFINITY });
    underWay.delete(organizationId);
  };
  const unsubscribe = deps.hints.onMove(expire);
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
    if (isLatest()) remember(kept, organizationId, { facts, confirmedAt: startedAt });
    return facts;
  };

  const current = (organizationId: OrganizationId): Promise<Facts> => {
    const entry = kept.get(organizationId);
    if (entry !== undefined && hasJustBeen(entry.confirmedAt, deps.clock().getTime(), CONFIRMED_MILLISECONDS))
      return Promise.resolve(entry.facts);
    const already = underWay.get(organizationId);
    if (already !== undefined) return already;
    const confirming: Promise<Facts> = confirm(organizationId, () => underWay.get(organizationId) === confirming).finally(() => {
      if (underWay.get(organizationId) === confirming) underWay.delete(organizationId);
    });
    underWay.set(organizationId, confirming);
    return confirming;
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
  const standingOf = (userId: UserId): Promise<Standing> =>
    standings.get(userId, () => atThisEpoch(deps.directory.standing(organizationId, userId)));
  return {
    epoch,
    asOf,
    project: (id) =>
      projects.get(id, async () => {
        const found = await atThisEpoch(deps.directory.namespaces(organizationId, [id]));
        return found.find(({ kind }) => kind === 'PROJECT') ?? null;
      }),
    line: (project) =>
      lines.get(project.id, async () => {
        const found = await atThisEpoch(deps.directory.namespaces(organizationId, project.ancestors));
        return project.ancestors.flatMap((id) => found.find((namespace) => namespace.id === id) ?? []);
      }),
    user: (id) => users.get(id, () => atThisEpoch(deps.directory.user(organizationId, id))),
    agent: (id) => agents.get(id, () => atThisEpoch(deps.directory.agent(organizationId, id))),
    tool: ({ id, ancestors }, name) =>
      tools.get(JSON.stringify([id, name]), () => atThisEpoch(toolNamed(deps.tools, organizationId, ancestors, name))),
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
