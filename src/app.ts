import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { FastifyInstance } from 'fastify';
import { parse, type GraphQLSchema } from 'graphql';
import * as auditGraphql from './audit/graphql.js';
import * as retentionGraphql from './audit/graphql/retention.js';
import { sessionsForRequest, type SessionContext } from './audit/graphql/sessions-for-request.js';
import * as sessionsGraphql from './audit/graphql/sessions.js';
import {
  classicEnvelopeById,
  recordEvents,
  recordSessionBatch,
  startRetention,
  startProjector,
  type AuditLog,
  type Projector,
  type RetentionSchedule,
} from './audit/index.js';
import { auditRoutes } from './audit/rest.js';
import type { Config } from './config.js';
import * as decisionsGraphql from './decisions/graphql.js';
import { decideInTime, explainPolicies, listEffectiveTools, listToolAccess, wouldBeAnswered, type Question } from './decisions/index.js';
import { decisionRoutes, metadataRoutes } from './decisions/rest.js';
import { pushDirectory, type DirectoryPush } from './directory/index.js';
import { directoryRoutes } from './directory/rest.js';
import * as feedGraphql from './feed/graphql.js';
import { feedCursor, openFeed } from './feed/index.js';
import type { Clock, Viewer } from './kernel/index.js';
import { startSequencer, type Sequencer } from './log/index.js';
import { guardEntities } from './platform/graphql-entities.js';
import { serveGraphql } from './platform/graphql-server.js';
import { serveSubscriptions } from './platform/graphql-subscriptions.js';
import { createHttpServer, requireAuthentication } from './platform/http-server.js';
import { authenticateBy, viewerOf, type Caller } from './platform/identity.js';
import type { Logger } from './platform/logger.js';
import { openDatabase, type Database } from './platform/postgres.js';
import { redisSignals } from './platform/redis.js';
import { readSchema } from './platform/schema-file.js';
import { localSignals } from './platform/signals.js';
import * as policyGraphql from './policy/graphql.js';
import { stopBacktests } from './policy/index.js';
import * as toolsGraphql from './tools/graphql.js';
import { buildServices, type Services } from './services.js';

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
  AgentTool: { ...toolsGraphql.AgentTool, ...decisionsGraphql.AgentTool },
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

/** What stands in the place of a part: a clock in tests, a log that stores nothing in a benchmark. */
export interface Replaced {
  readonly clock?: Clock | undefined;
  readonly log?: AuditLog;
}

/** Builds the adapters, hands them to the use cases, and those to GraphQL and REST. */
export async function buildApp(config: Config, logger: Logger, { clock = () => new Date(), log }: Replaced = {}): Promise<App> {
  const database = openDatabase(config.database.url, config.database.poolSize);
  const signals = config.redisUrl === null ? localSignals() : redisSignals(config.redisUrl, (message) => logger.warn(message));
  const services = buildServices(config, logger, clock, database, signals, log);
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
      await Promise.all([services.policy.comparison?.close(), services.reference.close()]);
      await stopBacktests(services.policy);
      await signals.close();
      await database.close();
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
    decide: (question: Question) => decideInTime(services.deciding, viewer(), question, 'GRAPHQL'),
    refusedQuestion: (refused) => services.deciding.refusals.record(viewer(), { ...refused, reason: 'QUESTION_INVALID', route: 'GRAPHQL' }),
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
    decisionRoutes(scope, {
      decide: (viewer, question) => decideInTime(services.deciding, viewer, question, 'AUTHZEN'),
      refused: (viewer, refused) => services.deciding.refusals.record(viewer, { ...refused, route: 'AUTHZEN' }),
      search: {
        agents: async (viewer, request) => (await listToolAccess(services.access, viewer, [request]))[0] ?? null,
        tools: async (viewer, request) => (await listEffectiveTools(services.access, viewer, [request]))[0] ?? null,
        answer: (viewer, asked) => wouldBeAnswered(services.deciding, viewer, asked),
      },
    });
  });
  metadataRoutes(http, config.publicUrl);
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
