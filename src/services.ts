import { availableParallelism, hostname } from 'node:os';
import {
  authorOf,
  catchUpWith,
  groupCommit,
  redactorBy,
  rememberPlaces,
  rememberSessionHumans,
  rememberSessionIdentities,
  rememberSettings,
  scopeOf,
  secretScanner,
  type AuditLog,
  type EnvelopeReading,
  type Humans,
  type Reading,
  type Recording,
  type RecordingModeChanging,
  type RetentionChanging,
  type RetentionReading,
  type Revealing,
  type RunningByHand,
  type SessionReading,
} from './audit/index.js';
import { postgresAuditLog, postgresRecordingModes, postgresRecordingPlaces } from './audit/postgres.js';
import { postgresEventArchive } from './audit/postgres/event-archive.js';
import { postgresEventReader } from './audit/postgres/event-reader.js';
import { postgresRetentionSeats, postgresSweeping } from './audit/postgres/retention-sweeping.js';
import { postgresRetentionReader } from './audit/postgres/retention.js';
import { postgresRetentionTransaction } from './audit/postgres/retention-changes.js';
import { postgresRetentionRuns } from './audit/postgres/retention-runs.js';
import { postgresOpenCalls } from './audit/postgres/open-calls.js';
import { postgresProjection } from './audit/postgres/projection.js';
import { postgresRollups } from './audit/postgres/rollups.js';
import { postgresSessionReader } from './audit/postgres/sessions.js';
import type { Config } from './config.js';
import {
  keepSelfCheck,
  keepSnapshots,
  keepTrust,
  recordRefusals,
  type AccessReading,
  type DecidingInTime,
  type Explaining,
} from './decisions/index.js';
import { rememberServiceAccounts, type Pushing } from './directory/index.js';
import { postgresDirectory, postgresDirectoryWriter, postgresEpoch } from './directory/postgres.js';
import { epochHints } from './directory/redis.js';
import { sharedScopes, type Feeding } from './feed/index.js';
import type { Clock, Viewer } from './kernel/index.js';
import { followLogs } from './log/index.js';
import { postgresLogReader, postgresSequencing } from './log/postgres.js';
import { logHints } from './log/redis.js';
import type { Logger } from './platform/logger.js';
import { databaseFailure, inTransaction, isDataError, sqlWithin, type Database } from './platform/postgres.js';
import { leads, scanTokens } from './platform/secret-scanner.js';
import type { Signals } from './platform/redis.js';
import {
  compiledEngine,
  readBaseline,
  rememberParses,
  startFromBaseline,
  type Backtesting,
  type PolicyChanging,
  type PolicyReading,
  type PolicyTransaction,
} from './policy/index.js';
import { postgresBacktests, postgresBacktestWriter } from './policy/postgres/backtests.js';
import { postgresPolicies } from './policy/postgres/reader.js';
import { postgresPolicyWriter } from './policy/postgres/writer.js';
import { threadComparison } from './policy/thread/comparing.js';
import { threadReference } from './policy/thread/referring.js';
import { threadReplaying } from './policy/thread/replaying.js';
import { bothEngines, wasmEngine } from './policy/wasm/engines.js';
import { wasmParser } from './policy/wasm/parser.js';
import type { Registering, ToolReading } from './tools/index.js';
import { postgresTools, postgresToolWriter } from './tools/postgres.js';

const ENGINES = { compiled: compiledEngine, wasm: wasmEngine, both: bothEngines } as const;

/** Every use case with the adapters that it works on. */
export type Services = ReturnType<typeof buildServices>;
type Transaction = Parameters<typeof postgresPolicyWriter>[0];

/** Makes a value when it is first asked for, and again when that failed. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}

/** Builds the adapters and hands them to the use cases. */
export function buildServices(config: Config, logger: Logger, clock: Clock, database: Database, signals: Signals, replacedLog?: AuditLog) {
  const report = (message: string, error: unknown): void => logger.error(message, { error });
  const alarm = (message: string, details: Readonly<Record<string, unknown>>): void => logger.error(message, details);
  const directory = postgresDirectory(database.of);
  const policies = postgresPolicies(database.of);
  const tools = postgresTools(database.of);
  const months = new Set<string>();
  const hints = epochHints(signals);
  const growth = logHints(signals);
  const log: AuditLog =
    replacedLog ??
    groupCommit({
      log: postgresAuditLog(database.of, months),
      maxWaitingEvents: config.audit.queueMaxEvents,
      committed: () => growth.announceStored(),
      isDataError,
    });
  const announce = (organizationId: Viewer['organizationId']): void => {
    hints.announce(organizationId);
    growth.announceStored();
  };

  const places = rememberPlaces(postgresRecordingPlaces(database.of), clock);
  // What decisions read is of use at once or not at all.
  const promptly = {
    ...{ directory: postgresDirectory(database.promptly), tools: postgresTools(database.promptly) },
    sessions: postgresSessionReader(database.promptly),
  };
  const accounts = rememberServiceAccounts(directory, clock);
  const accountsForDecisions = rememberServiceAccounts(promptly.directory, clock);
  const forgetAccounts = (organizationId: Viewer['organizationId']): void => {
    for (const remembered of [accounts, accountsForDecisions]) remembered.forget(organizationId);
  };
  hints.onMove(forgetAccounts);
  const humans: Humans = { ...accounts, ...rememberSessionHumans(postgresSessionReader(database.of), clock) };
  const redactor = redactorBy(secretScanner({ leads, scan: scanTokens }));
  const audit: Reading & Recording & Revealing & RecordingModeChanging & EnvelopeReading = {
    ...{ events: postgresEventReader(database.of), directory, log, places, humans, redactor, clock, window: config.audit },
    retention: rememberSettings(postgresRetentionReader(database.of, database.sql), clock),
    atomically: (organizationId, work) =>
      inTransaction(database, organizationId, (tx) =>
        work({
          modes: postgresRecordingModes(() => sqlWithin(tx)),
          auditLog: postgresAuditLog(() => sqlWithin(tx), new Set()),
        }),
      ),
    changed: (organizationId) => {
      places.forget(organizationId);
      growth.announceStored();
    },
  };
  const explain = (error: unknown): string => databaseFailure(error)?.message ?? 'It failed; the log of the service says why.';
  const retention: RetentionReading & RetentionChanging & RunningByHand = {
    ...{
      directory,
      humans,
      clock,
      intervalMinutes: config.retention.intervalMinutes,
      announceStored: growth.announceStored,
      maxExamined: 2_000,
    },
    retention: postgresRetentionReader(database.of, database.sql),
    runs: postgresRetentionRuns(database.of),
    sweeping: postgresSweeping(database.of),
    atomically: (organizationId, work) => inTransaction(database, organizationId, (tx) => work(postgresRetentionTransaction(tx))),
    explain,
  };
  const projection = postgresProjection(database.sql);
  const sessions: SessionReading = {
    ...{ sessions: postgresSessionReader(database.of), openCalls: postgresOpenCalls(database.of), rollups: postgresRollups(database.of) },
    ...{ directory, clock, catchUp: catchUpWith(projection), orphanAfterSeconds: config.audit.orphanAfterSeconds },
  };
  // What a transaction made must not be remembered before it has committed: no months are shared with it.
  const policyTransaction = (tx: Transaction): PolicyTransaction => ({
    policies: postgresPolicyWriter(tx),
    backtests: postgresBacktestWriter(tx),
    auditLog: postgresAuditLog(() => sqlWithin(tx), new Set()),
    epoch: postgresEpoch(tx),
  });
  const baseline = config.policyBaseline ? once(() => readBaseline(wasmParser)) : null;
  const pushing: Pushing = {
    atomically: (organizationId, work) =>
      inTransaction(
        database,
        organizationId,
        (tx) =>
          work(postgresDirectoryWriter(tx), async (viewer, organization) => {
            if (baseline !== null)
              await startFromBaseline({ clock }, await authorOf(humans, viewer), policyTransaction(tx), organization, await baseline());
          }),
        { timeoutMilliseconds: 60_000 },
      ),
    announce: (organizationId) => {
      forgetAccounts(organizationId);
      announce(organizationId);
    },
  };
  const policy: PolicyReading & PolicyChanging & Backtesting = {
    ...{
      directory,
      policies,
      humans,
      parser: rememberParses(wasmParser),
      engine: ENGINES[config.policyEngine],
      clock,
      announce,
      explain,
      report,
      running: new Map(),
    },
    comparison: config.policyEngine === 'wasm' ? null : threadComparison(),
    decided: audit.events,
    alarm,
    backtests: postgresBacktests(database.of),
    archive: postgresEventArchive(database.of),
    replaying: threadReplaying(availableParallelism()),
    atomically: (organizationId, work, options) => inTransaction(database, organizationId, (tx) => work(policyTransaction(tx)), options),
  };
  const registry: ToolReading & Registering = {
    ...{ directory, tools, humans, clock, announce },
    atomically: (organizationId, work) =>
      inTransaction(database, organizationId, (tx) =>
        work({
          tools: postgresToolWriter(tx),
          directory: postgresDirectory(() => sqlWithin(tx)),
          auditLog: postgresAuditLog(() => sqlWithin(tx), new Set()),
          epoch: postgresEpoch(tx),
        }),
      ),
  };
  const trust = keepTrust(ENGINES[config.policyEngine], wasmEngine, (organizationId) =>
    logger.warn('the policies on which the compiled ones and Cedar did not agree are not in force any more', { organizationId }),
  );
  const reference = threadReference();
  const snapshots = keepSnapshots({ directory: promptly.directory, tools: promptly.tools, policies, trust, hints, clock });
  // The others ask Cedar about every decision.
  const rate = config.policyEngine === 'compiled' ? config.decisionSelfCheckRate : 0;
  const notice: DecidingInTime['notice'] = (message, details) => logger.warn(message, details);
  const identities = rememberSessionIdentities(promptly.sessions, clock);
  const deciding: DecidingInTime = {
    ...config.decisions,
    ...{ snapshots, log, places, redactor, clock, alarm, notice },
    humans: { ...accountsForDecisions, ...rememberSessionHumans(promptly.sessions, clock) },
    refusals: recordRefusals({ log, places, humans, redactor, clock, notice }),
    sessions: identities,
    selfCheck: keepSelfCheck({ rate, reference, trust, alarm }),
  };
  const explaining: Explaining = { ...policy, snapshots, events: audit.events };
  const access: AccessReading = { snapshots, directory, tools, humans, sessions: identities, clock };
  const follower = followLogs({ reader: postgresLogReader(database.of), hints: growth, report });
  const feeding: Feeding = {
    follower,
    directory,
    scopeOf: sharedScopes((viewer) => scopeOf(audit, viewer), clock),
    clock,
    heartbeatSeconds: config.feed.heartbeatSeconds,
  };
  return {
    audit,
    retention,
    sessions,
    projecting: { projection, report },
    pushing,
    policy,
    registry,
    deciding,
    explaining,
    access,
    feeding,
    reference,
    follower,
    snapshots,
    sequencing: { sequencing: postgresSequencing(database), hints: growth, report },
    scheduling: {
      ...retention,
      seats: postgresRetentionSeats(database),
      leader: `${hostname()} ${process.pid}`,
      alarm: logger.error,
      warn: logger.warn,
    },
  };
}
