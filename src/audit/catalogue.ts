/** Every event type that is known, and what follows from an event's type. */
import { AGENT_SERVICE_TYPES } from './catalogue/agent-service.js';
import type { EventType, Family } from './catalogue/definition.js';
import { OWN_TYPES } from './catalogue/own-types.js';

export { RETENTION_CLASSES, type Category, type EventType, type Family, type RetentionClass } from './catalogue/definition.js';

/** Every event type that is known, by name: each is defined once, under `catalogue/`. */
export const EVENT_TYPES: readonly EventType[] = [...AGENT_SERVICE_TYPES, ...OWN_TYPES].sort((left, right) =>
  left.name < right.name ? -1 : 1,
);

export const CATALOGUE: ReadonlyMap<string, EventType> = new Map(EVENT_TYPES.map((type) => [type.name, type]));

const NONE: ReadonlySet<string> = new Set();
const FIELDS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  EVENT_TYPES.map(({ name, data }) => [name, new Set(Object.keys(data.shape))]),
);

export const familyOf = (type: string): Family => CATALOGUE.get(type)?.family ?? 'unknown';

/** Members of `data` that the type defines; what a producer sends beyond them are extensions. */
export const fieldsOf = (type: string): ReadonlySet<string> => FIELDS.get(type) ?? NONE;

/** Members of `data` that hold prompts, answers and results. Of what the type does not define, content.ts judges by names. */
export const contentOf = (type: string): ReadonlySet<string> => CATALOGUE.get(type)?.content ?? NONE;

/** Members of `data` that hold free text or values, but no prompt, answer or result: arguments, error messages. */
export const detailsOf = (type: string): ReadonlySet<string> => CATALOGUE.get(type)?.details ?? NONE;

/** How long events of the type are kept; their content may be dropped before. */
export const retentionClassOf = (type: string): EventType['retentionClass'] => CATALOGUE.get(type)?.retentionClass ?? 'METADATA';

/** Types of which there are many: what agents do. Also the words of an index, in the migration `tenants`. */
export const COMMON_TYPES: ReadonlySet<string> = new Set([
  ...AGENT_SERVICE_TYPES.filter(({ name }) => name.startsWith('ai_')).map(({ name }) => name),
  'ai_tool_decision_made',
]);

/**
 * Types of which there are few: what people do and what this service records beside its decisions. Looking for one of them goes by its
 * type first.
 */
export const RARE_TYPES: ReadonlySet<string> = new Set(
  EVENT_TYPES.filter(({ isOwn, retentionClass }) => isOwn && retentionClass !== 'DECISIONS').map(({ name }) => name),
);
