import { randomUUID } from 'node:crypto';
import {
  authorOf,
  eventOf,
  OWN_SOURCE,
  prepareEvent,
  seal,
  whoDid,
  type AuditLog,
  type Author,
  type Humans,
  type NewEvent,
  type RecordingPlaces,
  type Redactor,
} from '../audit/index.js';
import type { Clock, Viewer } from '../kernel/index.js';
import { NameInput } from './parse-question.js';
import type { Watching } from './shadow.js';

/** A question that was refused before anything was decided. */
export interface Refusal {
  readonly reason: 'SCOPE_MISSING' | 'PROJECT_NOT_FOUND' | 'QUESTION_INVALID';
  readonly route: Route;
  /** The fields at fault, as paths of their names; of what is in them, nothing. */
  readonly fields: readonly string[];
  /** The agent as it was claimed, whatever that is; recorded when it is the name of one. */
  readonly agentId: unknown;
}

/** By which door a question came. */
export type Route = 'GRAPHQL' | 'AUTHZEN';

/** Records refusals. */
export interface Refusals {
  /**
   * Records that the viewer's question was refused. Returns at once, and never throws: the refusal is answered whether it is recorded or
   * not, and what cannot be recorded is told to the log of the service. Beyond REFUSALS_A_MINUTE of one user they are counted, and the next
   * that is recorded says how many.
   */
  record(viewer: Viewer, refusal: Refusal): void;
}

export interface RefusalRecording extends Pick<Watching, 'notice'> {
  readonly log: AuditLog;
  readonly places: RecordingPlaces;
  readonly humans: Humans;
  readonly redactor: Redactor;
  readonly clock: Clock;
}

/** The most refusals of one user that are recorded in a minute, by one process; so many at once, and one a second from then on. */
export const REFUSALS_A_MINUTE = 60;
/** The most users whose refusals are counted at a time; beyond that the one who began first begins anew. */
const KEPT_USERS = 10_000;
/** The most fields of a refusal that are named. */
const MAX_FIELDS = 20;

export const REFUSAL_EVENT = 'ai_tool_decision_refused';

/** What a user may have recorded yet, and what was left out. */
interface Bucket {
  tokens: number;
  at: number;
  leftOut: number;
}

export function recordRefusals(deps: RefusalRecording): Refusals {
  const buckets = new Map<string, Bucket>();

  return {
    record(viewer, refusal) {
      const bucket = bucketOf(buckets, viewer, deps.clock().getTime());
      if (bucket.tokens < 1) {
        bucket.leftOut += 1;
        return;
      }
      bucket.tokens -= 1;
      const { leftOut } = bucket;
      bucket.leftOut = 0;
      store(deps, viewer, refusal, leftOut).catch((error: unknown) => {
        bucket.leftOut += leftOut + 1;
        deps.notice('a refused question could not be recorded', { organizationId: viewer.organizationId, reason: refusal.reason, error });
      });
    },
  };
}

/** The user's bucket, filled up for the time that has passed. */
function bucketOf(buckets: Map<string, Bucket>, { organizationId, userId }: Viewer, now: number): Bucket {
  // Neither id holds a line break.
  const key = `${organizationId}\n${userId}`;
  const known = buckets.get(key);
  if (known === undefined) {
    const [oldest] = buckets.keys();
    if (buckets.size >= KEPT_USERS && oldest !== undefined) buckets.delete(oldest);
    const bucket = { tokens: REFUSALS_A_MINUTE, at: now, leftOut: 0 };
    buckets.set(key, bucket);
    return bucket;
  }
  known.tokens = Math.min(REFUSALS_A_MINUTE, known.tokens + (Math.max(0, now - known.at) * REFUSALS_A_MINUTE) / 60_000);
  known.at = now;
  return known;
}

async function store(deps: RefusalRecording, viewer: Viewer, refusal: Refusal, leftOut: number): Promise<void> {
  const { organizationId } = viewer;
  const [author, places] = await Promise.all([authorOf(deps.humans, viewer), deps.places.places(organizationId, [])]);
  const now = deps.clock();
  const event = eventOfRefusal(deps.redactor, author, refusal, leftOut, now);
  const prepared = prepareEvent(deps.redactor, event, places.get(organizationId)?.mode ?? 'METADATA_ONLY');
  await deps.log.append(organizationId, [{ sealed: seal(eventOf(organizationId, now, event, prepared)), key: null }]);
}

/** It names no session and no call: what is refused must not become part of somebody's run. */
function eventOfRefusal(redactor: Redactor, author: Author, refusal: Refusal, leftOut: number, now: Date): NewEvent {
  return {
    type: REFUSAL_EVENT,
    source: OWN_SOURCE,
    sourceId: randomUUID(),
    occurredAt: now.toISOString(),
    projectId: null,
    ...whoDid(author),
    agentId: author.agentId ?? agentNamed(redactor, refusal.agentId),
    sessionId: null,
    callId: null,
    tool: null,
    verdict: null,
    outcome: null,
    data: { reason: refusal.reason, route: refusal.route, fields: [...new Set(refusal.fields)].slice(0, MAX_FIELDS), leftOut },
  };
}

function agentNamed(redactor: Redactor, claimed: unknown): string | null {
  const name = NameInput.safeParse(claimed);
  return name.success && redactor.secretIn(name.data) === null ? name.data : null;
}
