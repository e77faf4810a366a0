export { type RecordingModeChanging } from './change-recording-mode.js';
export { groupCommit, type GroupCommit } from './append.js';
export { eventFrom, eventOf, OWN_SOURCE, type AuditEvent, type NewEvent, type Outcome, type StoredEvent, type Verdict } from './event.js';
export { actorOf, authorOf, humansBehind, whoDid, type Actor, type Author, type Humans } from './humans.js';
export { NO_FILTER } from './ports.js';
export type {
  Append,
  ArchivePage,
  AuditLog,
  EventArchive,
  EventFilter,
  EventReader,
  EventScope,
  Owner,
  Receipt,
  RecordingPlace,
  RecordingPlaces,
} from './ports.js';
export { filterIn } from './parse-filter.js';
export { prepareEvent, redactorBy, type PreparedEvent, type Redactor } from './prepare-event.js';
export { eventBehind, presentEvent } from './present-event.js';
export { classicEnvelopeById, type EnvelopeReading } from './read-envelopes.js';
export { eventsById, listEvents, listEventsByOwner, scopeOf, type Reading } from './read-events.js';
export { rememberPlaces, type RememberedPlaces } from './recording-places.js';
export { type Revealing } from './reveal-content.js';
export { MAX_EVENTS, recordEvents, type EventReceipt, type Recording } from './record-events.js';
export { type Redacted } from './secrets/redact.js';
export { secretScanner } from './secrets/rules.js';
export { type KnownSecrets, type SecretScanner, type SecretSpan } from './secrets/spans.js';
export { catchUpWith, startProjector, type Projector } from './project-events.js';
export type { SessionReading } from './read-sessions.js';
export { rememberSessionHumans } from './session-humans.js';
export { rememberSessionIdentities } from './session-identities.js';
export type { SessionIdentities, SessionIdentity } from './session-ports.js';
export { recordSessionBatch, type BatchReceipt, type BatchRecording } from './record-session-batch.js';
export { eventScope, isVisible } from './scope.js';
export { seal, sealContent, sealOf } from './seal.js';
export { DECISION_TYPES, effectiveDays, retentionProblem, type DaysInForce, type EffectiveDays } from './retention/rules.js';
export type { RetentionReader } from './retention/ports.js';
export type { RetentionReading } from './retention/read-retention.js';
export type { RetentionChanging } from './retention/change-retention.js';
export type { RunningByHand } from './retention/run-by-hand.js';
export { rememberSettings, type KnownSettings } from './retention/known-settings.js';
export { startRetention, type RetentionSchedule } from './retention/schedule.js';
