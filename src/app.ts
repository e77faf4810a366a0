import type { AddressInfo } from 'node:net';
import { availableParallelism, hostname } from 'node:os';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { FastifyInstance } from 'fastify';
import { parse, type GraphQLSchema } from 'graphql';
import * as auditGraphql from './audit/graphql.js';
import * as retentionGraphql from './audit/graphql/retention.js';
import { sessionsForRequest, type SessionContext } from './audit/graphql/sessions-for-request.js';
import * as sessionsGraphql from './audit/graphql/sessions.js';
import {
  authorOf,
  catchUpWith,
  classicEnvelopeById,
  groupCommit,
  recordEvents,
  redactorBy,
  recordSessionBatch,
  rememberPlaces,
  rememberSessionHumans,
  rememberSettings,
  scopeOf,
  secretScanner,
  startRetention,
  startProjector,
  type AuditLog,
  type EnvelopeReading,
  type Humans,
  type Projector,
  type Reading,
  type Recording,
  type RecordingModeChanging,
  type RetentionChanging,
  type RetentionReading,
  type RetentionSchedule,
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
import { auditRoutes } from './audit/rest.js';
import type { Config } from './config.js';
import * as decisionsGraphql from './decisions/graphql.js';
import {
  decide,
  explainPolicies,
  keepSnapshots,
  type AccessReading,
  type Deciding,
  type Explaining,
  type Question,
} from './decisions/index.js';
import { decisionRoutes } from './decisions/rest.js';
import { pushDirectory, rememberServiceAccounts, type DirectoryPush, type Pushing } from './directory/index.js';
import { postgresDirectory, postgresDirectoryWriter, postgresEpoch } from './directory/postgres.js';
import { epochHints } from './directory/redis.js';
import { directoryRoutes } from './directory/rest.js';
import * as feedGraphql from './feed/graphql.js';
import { feedCursor, openFeed, sharedScopes, type Feeding } from './feed/index.js';
import type { Clock, Viewer } from './kernel/index.js';
import { followLogs, startSequencer, type Sequencer } from './log/index.js';
import { postgresLogReader, postgresSequencing } from './log/postgres.js';
import { logHints } from './log/redis.js';
import { guardEntities } from './platform/graphql-entities.js';
import { serveGraphql } from './platform/graphql-server.js';
import { serveSubscriptions } from './platform/graphql-subscriptions.js';
import { createHttpServer, requireAuthentication } from './platform/http-server.js';
import { authenticateBy, viewerOf, type Caller } from './platform/identity.js';
import type { Logger } from './platform/logger.js';
import { databaseFailure, inTransaction, isDataError, openDatabase, sqlWithin, type Database } from './platform/postgres.js';
import { leads, scanTokens } from './platform/secret-scanner.js';
import { redisSignals, type Signals } from './platform/redis.js';
import { readSchema } from './platform/schema-file.js';
import { localSignals } from './platform/signals.js';
import * as policyGraphql from './policy/graphql.js';
import {
  compiledEngine,
  readBaseline,
  rememberParses,
  startFromBaseline,
  stopBacktests,
  type Backtesting,
  type PolicyChanging,
  type PolicyReading,
  type PolicyTransaction,
} from './policy/index.js';
import { postgresBacktests, postgresBacktestWriter } from './policy/postgres/backtests.js';
import { postgresPolicies } from './policy/postgres/reader.js';
import { postgresPolicyWriter } from './policy/postgres/writer.js';
import { threadReplaying } from './policy/thread/replaying.js';
import { bothEngines, wasmEngine } from './policy/wasm/engines.js';
import { wasmParser } from './policy/wasm/parser.js';
import * as toolsGraphql from './tools/graphql.js';
import type { Registering, ToolReading } from './tools/index.js';
import { postgresTools, postgresToolWriter } from './tools/postgres.js';

/** The service, built and not yet listening. */
export interface App {
  /** Begins to answer, and to give events their positions where the configuration has it do so. Returns where. */
  listen(): Promise<{ readonly url: string }>;
  /** Ends: feeds and connections first, then the sequencer, then the stores. What was answered is durable already. */
  close(): Promise<void>;
}

/** Every resolver, by type and field. A test holds its keys against the schema: the library ignores what it does not know. */
export const resolvers = {
  Query: {
    ...auditGraphql.Query,
    ...retentionGraphql.Query,
    ...sessionsGraphql.Query,
    ...policyGraphql.Query,
    ...toolsGraphql.Query,
    ...decisionsGraphql.Query,
  },
  Mutation: {
    ...auditGraphql.Mutation,
    ...retentionGraphql.Mutation,
    ...policyGraphql.Mutation,
    ...toolsGraphql.Mutation,
    ...decisionsGraphql.Mutation,
  },
  Subscription: { ...feedGraphql.Subscription, ...policyGraphql.Subscription },
  Project: {
    ...auditGraphql.Project,
    ...sessionsGraphql.Project,
    ...policyGraphql.Project,
    ...toolsGraphql.Project,
    ...decisionsGraphql.Project,
  },
  User: { ...auditGraphql.User, ...sessionsGraphql.User },
  Agent: { ...auditGraphql.Agent, ...sessionsGraphql.Agent, ...decisionsGraphql.Agent },
  AgentSession: sessionsGraphql.AgentSession,
  AgentOrphanedCall: { ...sessionsGraphql.AgentOrphanedCall, ...decisionsGraphql.AgentOrphanedCall },
  AgentAuditEvent: { ...auditGraphql.AgentAuditEvent, ...sessionsGraphql.AgentAuditEvent, ...feedGraphql.AgentAuditEvent },
  AgentPolicy: policyGraphql.AgentPolicy,
  AgentPolicyBundleResult: policyGraphql.AgentPolicyBundleResult,
  AgentPolicyConflict: policyGraphql.AgentPolicyConflict,
  AgentPolicyDraft: policyGraphql.AgentPolicyDraft,
  AgentPolicyPayload: policyGraphql.AgentPolicyPayload,
  AgentPolicyBacktest: policyGraphql.AgentPolicyBacktest,
  AgentPolicyBacktestCall: policyGraphql.AgentPolicyBacktestCall,
  AgentPolicyBacktestGroup: policyGraphql.AgentPolicyBacktestGroup,
  AgentPolicyBacktestPayload: policyGraphql.AgentPolicyBacktestPayload,
  AgentEffectivePolicy: policyGraphql.AgentEffectivePolicy,
  AgentToolRule: policyGraphql.AgentToolRule,
  AgentToolRulePayload: policyGraphql.AgentToolRulePayload,
  AgentToolRuleResult: policyGraphql.AgentToolRuleResult,
  AgentTool: toolsGraphql.AgentTool,
  AgentToolPayload: toolsGraphql.AgentToolPayload,
  AgentApprovalPayload: { ...toolsGraphql.AgentApprovalPayload, ...decisionsGraphql.AgentApprovalPayload },
  AgentDecision: { ...toolsGraphql.AgentDecision, ...decisionsGraphql.AgentDecision },
  AgentDecisionPayload: decisionsGraphql.AgentDecisionPayload,
  AgentDecisionReason: policyGraphql.AgentDecisionReason,
  AgentPolicyExplanation: { ...toolsGraphql.AgentPolicyExplanation, ...decisionsGraphql.AgentPolicyExplanation },
  AgentExplainedPolicy: { ...policyGraphql.AgentExplainedPolicy, ...decisionsGraphql.AgentExplainedPolicy },
  AgentExplainedStatement: decisionsGraphql.AgentExplainedStatement,
  AgentNearMiss: policyGraphql.AgentNearMiss,
  AgentEffectiveTool: toolsGraphql.AgentEffectiveTool,
};

/** The executable subgraph schema. */
export const buildSchema = (): GraphQLSchema => guardEntities(buildSubgraphSchema([{ typeDefs: parse(readSchema()), resolvers }]));

/** Builds the adapters, hands them to the use cases, and those to GraphQL and REST. */
export async function buildApp(config: Config, logger: Logger, clock: Clock = () => new Date()): Promise<App> {
  const database = openDatabase(config.database.url, config.database.poolSize);
  const signals = config.redisUrl === null ? localSignals() : redisSignals(config.redisUrl, (message) => logger.warn(message));
  const services = buildServices(config, logger, clock, database, signals);
  const http = createHttpServer(logger);
  await addRoutes(http, config, logger, clock, services, database);

  let sequencer: Sequencer | null = null;
  let projector: Projector | null = null;
  let schedule: RetentionSchedule | null = null;
  return {
    async listen() {
      await http.listen({ host: config.listen.host, port: config.listen.port });
      if (config.sequencer) {
        const leader = startSequencer(services.sequencing);
        [sequencer, projector] = [leader, startProjector({ ...services.projecting, isLeading: leader.isLeading })];
      }
      schedule = startRetention(services.scheduling);
      return { url: urlOf(http) };
    },
    async close() {
      // Sockets first: a feed that ended by itself would tell its client that there is nothing to come back for.
      await http.close();
      services.follower.close();
      await schedule?.stop();
      await Promise.all([sequencer?.stop(), projector?.stop()]);
      services.snapshots.close();
      await stopBacktests(services.policy);
      await signals.close();
      await database.close();
    },
  };
}

const ENGINES = { compiled: compiledEngine, wasm: wasmEngine, both: bothEngines } as const;

type Services = ReturnType<typeof buildServices>;
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

function buildServices(config: Config, logger: Logger, clock: Clock, database: Database, signals: Signals) {
  const report = (message: string, error: unknown): void => logger.error(message, { error });
  const directory = postgresDirectory(database.of);
  const policies = postgresPolicies(database.of);
  const tools = postgresTools(database.of);
  const months = new Set<string>();
  const hints = epochHints(signals);
  const growth = logHints(signals);
  const log: AuditLog = groupCommit({
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
  const accounts = rememberServiceAccounts(directory, clock);
  hints.onMove(accounts.forget);
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
      accounts.forget(organizationId);
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
  const snapshots = keepSnapshots({ directory, policies, tools, engine: ENGINES[config.policyEngine], hints, clock });
  const deciding: Deciding = {
    ...{ snapshots, log, places, humans, redactor, clock },
    alarm: (message, details) => logger.error(message, details),
    notice: (message, details) => logger.warn(message, details),
  };
  const explaining: Explaining = { ...policy, snapshots, events: audit.events };
  const access: AccessReading = { snapshots, directory, tools, clock };
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

/** Everything that resolvers need for one request. */
export type Context = auditGraphql.AuditContext &
  retentionGraphql.RetentionContext &
  SessionContext &
  policyGraphql.PolicyContext &
  toolsGraphql.ToolContext &
  decisionsGraphql.DecisionContext &
  feedGraphql.FeedContext;

function contextFor(services: Services, caller: Caller): Context {
  const viewer = (): Viewer => viewerOf(caller);
  const audit = auditGraphql.auditForRequest(services.audit, viewer);
  const policies = policyGraphql.policiesForRequest(services.policy, viewer);
  return {
    ...{ audit, policies },
    retention: { viewer, deps: services.retention },
    sessions: sessionsForRequest(services.sessions, viewer),
    tools: toolsGraphql.toolsForRequest(services.registry, viewer),
    decide: (question: Question) => decide(services.deciding, viewer(), question),
    explain: decisionsGraphql.explainForRequest((request) => explainPolicies(services.explaining, viewer(), request)),
    revisionText: async (policyId, revision) => (await policies.revision(policyId, revision))?.text ?? null,
    access: decisionsGraphql.accessForRequest(services.access, viewer),
    eventById: (id) => audit.byId(id),
    openFeed: (start) => openFeed(services.feeding, viewer(), start),
    cursorBehind: (position) => feedCursor(viewer().organizationId, position + 1),
  };
}

async function addRoutes(
  http: FastifyInstance,
  config: Config,
  logger: Logger,
  clock: Clock,
  services: Services,
  database: Database,
): Promise<void> {
  const authenticate = authenticateBy(config.identity, clock);
  const graphql = {
    schema: buildSchema(),
    authenticate,
    contextFor: (caller: Caller) => contextFor(services, caller),
    introspection: config.introspection,
    logger,
  };
  await serveGraphql(http, graphql);
  // A schema of its own: servers may wrap the fields of the one that they are given.
  serveSubscriptions(http, { ...graphql, schema: buildSchema() });

  await http.register(async (scope) => {
    requireAuthentication(scope, authenticate);
    directoryRoutes(scope, (viewer: Viewer, push: DirectoryPush) => pushDirectory(services.pushing, viewer, push));
    auditRoutes(scope, {
      record: (viewer, events) => recordEvents(services.audit, viewer, events),
      recordBatch: (viewer, batch) => recordSessionBatch(services.audit, viewer, batch),
      envelope: (viewer, id) => classicEnvelopeById(services.audit, viewer, id),
    });
    decisionRoutes(scope, (viewer, question) => decide(services.deciding, viewer, question));
  });
  http.get('/health/live', async () => ({ status: 'live' }));
  http.get('/health/ready', async () => {
    await database.sql.query('SELECT 1');
    return { status: 'ready' };
  });
}

function urlOf(http: FastifyInstance): string {
  const { address, family, port }: AddressInfo = Object.assign({ address: '', family: '', port: 0 }, http.server.address());
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
