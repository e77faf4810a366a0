import { z } from 'zod';
import type { EventType } from './catalogue.js';
import { PAYLOAD_TYPES } from './present-payload.js';

const schemas = new WeakMap<EventType, object>();

/**
 * The shape of a type's `data` as JSON Schema 2020-12, made once per type.
 *
 * Other members are allowed: a producer may send more, which are the event's extensions.
 */
export function payloadSchemaOf(type: EventType): object {
  const known = schemas.get(type);
  if (known !== undefined) return known;
  const schema = z.toJSONSchema(type.data, { target: 'draft-2020-12', io: 'input' });
  schemas.set(type, schema);
  return schema;
}

/** An event type as callers are shown it. The fields are those of schema.graphql. */
export function presentEventType(type: EventType) {
  const { name, description, scopes, category, family, retentionClass, content, details, isOwn, since } = type;
  return {
    ...{ name, description, scopes, category, retentionClass, since },
    payloadType: PAYLOAD_TYPES[family],
    payloadSchema: payloadSchemaOf(type),
    contentFields: [...content].sort(),
    detailFields: [...details].sort(),
    isRecordedByService: isOwn,
  };
}
