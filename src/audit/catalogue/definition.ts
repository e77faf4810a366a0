import type { z } from 'zod';
import type { NamespaceKind } from '../../directory/index.js';

/** Families of event types: each has one member of the payload union. */
export type Family =
  | 'session'
  | 'message'
  | 'modelCall'
  | 'toolCall'
  | 'decision'
  | 'decisionRefusal'
  | 'approval'
  | 'policy'
  | 'policySettings'
  | 'policyBacktest'
  | 'tool'
  | 'toolRule'
  | 'stop'
  | 'retentionDrop'
  | 'retentionChange'
  | 'legalHold'
  | 'contentReveal'
  | 'recordingMode'
  | 'sessionReport'
  | 'unknown';

/** What an event type is about, for people who look for one. */
export type Category =
  | 'SESSION'
  | 'MESSAGE'
  | 'MODEL'
  | 'TOOL_CALL'
  | 'DECISION'
  | 'APPROVAL'
  | 'POLICY'
  | 'TOOL_REGISTRY'
  | 'AGENT'
  | 'RETENTION'
  | 'CONTENT'
  | 'SETTINGS';

/** What is kept equally long: content apart from the events that it came with, decisions and approvals apart from other events. */
export const RETENTION_CLASSES = ['CONTENT', 'METADATA', 'DECISIONS'] as const;
export type RetentionClass = (typeof RETENTION_CLASSES)[number];

/** An event type, as the catalogue defines it. */
export interface EventType {
  readonly name: string;
  /** One sentence: what happened. */
  readonly description: string;
  /** The kinds of namespace that such an event can concern; the organization where it names no namespace. */
  readonly scopes: readonly NamespaceKind[];
  readonly category: Category;
  readonly family: Family;
  /** What `data` must hold. A producer may add members of its own. */
  readonly data: z.ZodObject;
  /** Whether only this service records it: from a producer it is rejected. */
  readonly isOwn: boolean;
  /** How long the event is kept; its content may be dropped before. */
  readonly retentionClass: Exclude<RetentionClass, 'CONTENT'>;
  /** Members of `data` that hold prompts, answers and results. */
  readonly content: ReadonlySet<string>;
  /** Members of `data` that hold free text or values, but no prompt, answer or result: arguments, error messages. */
  readonly details: ReadonlySet<string>;
  /** The version of this service that knew it first. */
  readonly since: string;
}

/** The payload of a family: the shape of `data`, and which of its members are content or details. */
export interface Payload<Data extends z.ZodObject = z.ZodObject> {
  readonly family: Family;
  readonly data: Data;
  readonly content: readonly string[];
  readonly details: readonly string[];
}

type MemberOf<Data extends z.ZodObject> = keyof z.infer<Data> & string;
interface Held<Data extends z.ZodObject> {
  readonly content?: readonly MemberOf<Data>[];
  readonly details?: readonly MemberOf<Data>[];
}

export const payload = <Data extends z.ZodObject>(family: Family, data: Data, held: Held<Data> = {}): Payload<Data> => ({
  family,
  data,
  content: held.content ?? [],
  details: held.details ?? [],
});

type Facts = Pick<EventType, 'description' | 'scopes' | 'category' | 'since'> & Partial<Pick<EventType, 'retentionClass'>>;

const eventType = (name: string, { family, data, content, details }: Payload, isOwn: boolean, facts: Facts): EventType => ({
  retentionClass: 'METADATA',
  ...facts,
  ...{ name, family, data, isOwn },
  content: new Set(content),
  details: new Set(details),
});

/** A type that a producer may send. */
export const reported = (name: string, shape: Payload, facts: Facts): EventType => eventType(name, shape, false, facts);

/** A type that only this service records. */
export const own = (name: string, shape: Payload, facts: Facts): EventType => eventType(name, shape, true, facts);
