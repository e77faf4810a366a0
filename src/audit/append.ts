import { Failure, othersFirst, type OrganizationId } from '../kernel/index.js';
import type { Append, AuditLog, Receipt } from './ports.js';

export interface GroupCommit {
  /** The log that stores for good. */
  readonly log: AuditLog;
  /** The most events that may wait in this process; what comes beyond is refused, never dropped. */
  readonly maxWaitingEvents: number;
  /** Called after each commit: there is something to be sequenced. */
  readonly committed: (organizationId: OrganizationId) => void;
  /** Whether an error was about the values of some event rather than about the store. */
  readonly isDataError: (error: unknown) => boolean;
}

/** The most events in one statement, and the most characters of JSON: a group of more waits for the next one. */
const MAX_GROUP_EVENTS = 1_000;
const MAX_GROUP_CHARACTERS = 8 * 1024 * 1024;
/** The most characters of JSON that may wait in this process, however few events they are. */
const MAX_WAITING_CHARACTERS = 64 * 1024 * 1024;

/** The part of what may wait that one organization may fill: the others' decisions must find room too. */
const MAX_SHARE = 0.5;

interface Load {
  events: number;
  characters: number;
}

interface Waiting {
  readonly characters: number;
  readonly appends: readonly Append[];
  resolve(receipts: readonly Receipt[]): void;
  reject(error: unknown): void;
}

/**
 * An audit log that commits in groups: whatever waits in this process, per organization, goes into one insert and one commit.
 *
 * Nothing is delayed to fill a group: the first event goes at once, and what arrives while it is under way goes together next.
 *
 * @throws Failure OVERLOADED, from `append`, when more than `maxWaitingEvents`, or 64 Mi characters of them, would wait, or more than
 * half as many of one organization that has some waiting already.
 */
export function groupCommit(deps: GroupCommit): AuditLog {
  const queues = new Map<OrganizationId, Waiting[]>();
  const busy = new Set<OrganizationId>();
  const everybody: Load = { events: 0, characters: 0 };
  const loads = new Map<OrganizationId, Load>();
  const isOverloaded = (load: Load, events: number, characters: number, share: number): boolean =>
    load.events + events > deps.maxWaitingEvents * share || load.characters + characters > MAX_WAITING_CHARACTERS * share;

  const flush = async (organizationId: OrganizationId): Promise<void> => {
    const group = takeGroup(queues, organizationId);
    await commit(deps, organizationId, group);
    // Who has an answer now sends the next request, and others have sent theirs meanwhile: we read those first.
    await othersFirst();
    if (queues.has(organizationId)) void flush(organizationId);
    else busy.delete(organizationId);
  };

  return {
    append(organizationId, appends) {
      if (appends.length === 0) return Promise.resolve([]);
      const characters = appends.reduce((sum, { sealed }) => sum + sealed.json.length, 0);
      const own = loads.get(organizationId) ?? { events: 0, characters: 0 };
      if (
        isOverloaded(everybody, appends.length, characters, 1) ||
        (own.events > 0 && isOverloaded(own, appends.length, characters, MAX_SHARE))
      ) {
        return Promise.reject(
          new Failure(
            'OVERLOADED',
            'Too many audit events are waiting to be stored. Nothing of this request was stored; send it again in a moment.',
          ),
        );
      }
      loads.set(organizationId, own);
      for (const load of [everybody, own]) {
        load.events += appends.length;
        load.characters += characters;
      }
      return new Promise<readonly Receipt[]>((resolve, reject) => {
        // Counted out before it is answered: whoever has its answer finds room for its next request.
        const settle =
          <Answer>(answer: (value: Answer) => void) =>
          (value: Answer): void => {
            for (const load of [everybody, own]) {
              load.events -= appends.length;
              load.characters -= characters;
            }
            if (own.events === 0) loads.delete(organizationId);
            answer(value);
          };
        queues.set(organizationId, [
          ...(queues.get(organizationId) ?? []),
          { characters, appends, resolve: settle(resolve), reject: settle(reject) },
        ]);
        if (busy.has(organizationId)) return;
        busy.add(organizationId);
        void flush(organizationId);
      });
    },
  };
}

function takeGroup(queues: Map<OrganizationId, Waiting[]>, organizationId: OrganizationId): readonly Waiting[] {
  const queue = queues.get(organizationId) ?? [];
  let events = 0;
  let size = 0;
  const end = queue.findIndex(({ appends, characters }, index) => {
    events += appends.length;
    size += characters;
    return index > 0 && (events > MAX_GROUP_EVENTS || size > MAX_GROUP_CHARACTERS);
  });
  const group = end === -1 ? queue : queue.slice(0, end);
  if (end === -1) queues.delete(organizationId);
  else queues.set(organizationId, queue.slice(end));
  return group;
}

async function commit(deps: GroupCommit, organizationId: OrganizationId, group: readonly Waiting[]): Promise<void> {
  try {
    const receipts = await deps.log.append(
      organizationId,
      group.flatMap(({ appends }) => appends),
    );
    deps.committed(organizationId);
    let start = 0;
    for (const { appends, resolve } of group) resolve(receipts.slice(start, (start += appends.length)));
  } catch (error) {
    // One request's values must not fail the others that happened to share its commit.
    if (group.length > 1 && deps.isDataError(error)) for (const alone of group) await commit(deps, organizationId, [alone]);
    else for (const { reject } of group) reject(error);
  }
}
