export { groupCommit, type GroupCommit } from './append.js';
export { eventFrom, eventOf, OWN_SOURCE, type AuditEvent, type NewEvent, type Outcome, type StoredEvent, type Verdict } from './event.js';
export type { Append, AuditLog, EventFilter, EventReader, EventScope, Owner, Receipt } from './ports.js';
export { eventBehind, presentEvent } from './present-event.js';
export { classicEnvelopeById, type EnvelopeReading } from './read-envelopes.js';
export { eventsById, listEvents, listEventsByOwner, scopeOf, type Reading } from './read-events.js';
export { MAX_EVENTS, recordEvents, type EventReceipt, type Recording } from './record-events.js';
export { eventScope, isVisible } from './scope.js';
export { seal, sealOf } from './seal.js';
