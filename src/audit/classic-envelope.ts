import { z } from 'zod';
import { hashOf, isJsonObject, type Json, type JsonObject } from '../kernel/index.js';
import { familyDetails, messageOf, targetOf, type ClassicTarget } from './classic-families.js';
import type { AuditEvent, StoredEvent } from './event.js';

/**
 * An event as GitLab streams audit events (docs.gitlab.com/user/compliance/audit_event_schema): names and types are GitLab's, so
 * that parsers made for it keep working. Every field is always there, and none is null. docs/security-tools.md says where each
 * comes from.
 */
export interface ClassicEnvelope {
  readonly id: string;
  readonly author_id: number;
  readonly author_name: string;
  readonly entity_id: number;
  readonly entity_path: string;
  readonly entity_type: 'Project' | 'Group';
  readonly event_type: string;
  /** Empty when it is not known, as in GitLab's own events of agents. */
  readonly ip_address: string;
  readonly target_id: number;
  readonly target_type: string;
  readonly target_details: string;
  /** RFC 3339, UTC, milliseconds: when it happened. */
  readonly created_at: string;
  readonly details: JsonObject;
}

/** What the envelope says of an event that is not in the event. */
export interface ClassicNames {
  /** Full path, as it is now, of the namespace of `entityOf`; null when the directory does not know it any more. */
  readonly entityPath: string | null;
}

/** The namespace that an event concerns: the project, else the group, else the organization. */
export const entityOf = ({ projectId, namespaceId, organizationId }: AuditEvent): string => projectId ?? namespaceId ?? organizationId;

/** The event in the classic envelope. Pure. Where a name is not known, the id stands in its place. */
export function classicEnvelope(stored: StoredEvent, names: ClassicNames): ClassicEnvelope {
  const { event } = stored;
  const entity = entityOf(event);
  const entity_type = event.projectId === null ? 'Group' : 'Project';
  const entity_path = names.entityPath ?? entity;
  const target = targetOf(event) ?? { type: entity_type, id: entity, details: entity_path };
  const author = authorOf(event.userId);
  const shared = {
    author_name: author.name,
    target_id: classicId(target.id),
    target_type: target.type,
    target_details: target.details,
    ip_address: addressIn(event.data),
    entity_path,
  };
  return {
    id: event.id,
    author_id: author.id,
    entity_id: classicId(entity),
    entity_type,
    event_type: event.type,
    created_at: event.occurredAt,
    ...shared,
    details: {
      ...familyDetails(event),
      ...eventDetails(stored, target),
      event_name: event.type,
      author_class: author.class,
      custom_message: messageOf(event),
      ...shared,
    },
  };
}

/** What the event says of itself, as far as it says it. */
function eventDetails({ event, seal, position }: StoredEvent, target: ClassicTarget): JsonObject {
  const human = humanOf(event);
  const said: JsonObject = {
    author_global_id: event.userId,
    human_author_id: human === null ? null : classicId(human),
    human_author_name: human,
    human_author_global_id: human,
    entity_global_id: entityOf(event),
    target_global_id: target.id,
    agent_id: event.agentId,
    session_id: event.sessionId,
    sequence: event.sequence,
    call_id: event.callId,
    tool_name: event.tool,
    verdict: event.verdict,
    outcome: event.outcome,
    source: event.source,
    cloud_event_id: event.sourceId,
    position,
    seal: seal.toString('hex'),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null));
}

/** The human behind a service account, where the event names one. */
const humanOf = ({ humanId }: AuditEvent): string | null => humanId;

interface ClassicAuthor {
  readonly id: number;
  readonly name: string;
  readonly class: string;
}

/** What nobody did, GitLab lets its pseudo-author -1 have done, under this name. */
const SYSTEM: ClassicAuthor = { id: -1, name: '(System)', class: 'Gitlab::Audit::UnauthenticatedAuthor' };

// The directory knows no names of users.
const authorOf = (userId: string | null): ClassicAuthor =>
  userId === null ? SYSTEM : { id: classicId(userId), name: userId, class: 'User' };

/** A number by itself, or at the end of a global id. */
const NUMBERED = /^(?:gid:\/\/[^/]+\/[^/]+\/)?([1-9]\d{0,15})$/;

/** Below the negative ids that GitLab gives to its pseudo-authors. */
const HIGHEST_MADE_UP = -1_000;

/**
 * The integer that stands for an id: the number in `42` and in `gid://gitlab/User/42`. An id without one gets a negative number
 * made from its SHA-256, always the same, so that events still group by it and it can never be taken for somebody else's.
 */
export function classicId(id: string): number {
  const number = Number(NUMBERED.exec(id)?.[1]);
  return Number.isSafeInteger(number) ? number : HIGHEST_MADE_UP - hashOf(id).readUIntBE(0, 6);
}

const Address = z.union([z.ipv4(), z.ipv6()]);

/** The address that the producer sent, if it is one: indexes of addresses refuse what is none. */
function addressIn(data: Json): string {
  const parsed = Address.safeParse(isJsonObject(data) ? data['ip_address'] : null);
  return parsed.success ? parsed.data : '';
}
