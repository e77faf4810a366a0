import { eventOf, OWN_SOURCE, seal, type NewEvent } from '../../src/audit/index.js';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { organizationId } from '../../src/kernel/index.js';
import { openDatabase } from '../../src/platform/postgres.js';
import { DECISION_EVENT, factsOf, type ToolCall } from '../../src/policy/index.js';
import { theCompany, TOOLS } from '../support/company.js';
import { showProgress } from '../support/progress.js';
import { evenly, pick, seededRandom, skewed, type Random } from '../support/random.js';
import { settle } from '../support/settle.js';
import { aSentence } from '../support/texts.js';

const DAYS = 29;
const WRITERS = 4;
const WRITE_EVENTS = 1_000;

/** Fills the log with decisions of the last month, with everything by which they can be asked again, through the product's adapter. */
export async function fillDecisions(databaseUrl: string, count: number): Promise<void> {
  const database = openDatabase(databaseUrl, WRITERS);
  const log = postgresAuditLog(database.of, new Set());
  const organization = organizationId(theCompany.id);
  const random = seededRandom(5);
  const progress = showProgress(`Filling in ${count.toLocaleString('en')} decisions`, count, 'decisions');
  const startsAt = Date.now() - DAYS * 86_400_000;
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < count) {
      const size = Math.min(WRITE_EVENTS, count - next);
      const first = next;
      next += size;
      const events = Array.from({ length: size }, (_, index) => {
        const at = new Date(startsAt + ((first + index) / count) * (DAYS * 86_400_000 - 60_000));
        return { sealed: seal(eventOf(organization, at, decisionOn(aCall(random, at), first + index))), key: null };
      });
      await log.append(organization, events);
      progress.advance(size);
    }
  };
  try {
    await Promise.all(Array.from({ length: WRITERS }, write));
  } finally {
    progress.stop();
    await database.close();
  }
  await settle(databaseUrl, count);
}

function aCall(random: Random, at: Date): ToolCall {
  const project = skewed(random, theCompany.projects.length);
  const tool = pick(TOOLS, random, skewed);
  const isWrite = random() < 0.3;
  return {
    agent: {
      id: pick(theCompany.agentsOf[project] ?? [], random, skewed),
      isKnown: true,
      classes: [`class ${evenly(random, 20)}`],
      trust: 10 * evenly(random, 10),
      autonomous: random() < 0.2,
      ownerId: null,
    },
    user: { id: pick(theCompany.users, random, skewed), level: 10 * (2 + evenly(random, 4)), teams: [] },
    projectLine: [
      { id: theCompany.id, kind: 'ORGANIZATION', dataClass: 1, isFrozen: false },
      { id: theCompany.groups[project % theCompany.groups.length] ?? '', kind: 'GROUP', dataClass: null, isFrozen: false },
      { id: theCompany.projects[project] ?? '', kind: 'PROJECT', dataClass: null, isFrozen: false },
    ],
    tool: {
      id: `com.example.platform/${tool}`,
      server: 'com.example.platform',
      isKnown: true,
      isElsewhere: false,
      actionType: isWrite ? 'WRITE' : 'READ',
      risk: isWrite ? 2 : 1,
      definitionDigest: 'ab'.repeat(32),
      labels: isWrite ? ['write'] : ['read'],
    },
    arguments: {
      path: `app/services/${aSentence(random, 3).replaceAll(' ', '_')}.rb`,
      query: aSentence(random, 6),
      limit: evenly(random, 100),
    },
    sessionId: `session-${evenly(random, 10_000)}`,
    session: { labels: null, counts: null },
    circumstances: {
      environment: pick(['production', 'staging', 'dev'], random),
      branch: 'main',
      isBranchProtected: true,
      surface: pick(['IDE', 'CLI', 'CI'] as const, random),
      executionMode: pick(['INTERACTIVE', 'BACKGROUND'] as const, random),
    },
    now: at,
    timeZone: 'Europe/Berlin',
    approval: null,
    promises: [],
  };
}

const decisionOn = (call: ToolCall, number: number): NewEvent => ({
  type: DECISION_EVENT,
  source: OWN_SOURCE,
  sourceId: `decision-${number}`,
  occurredAt: call.now.toISOString(),
  recordedBy: call.user.id,
  projectId: call.projectLine.at(-1)?.id ?? null,
  userId: call.user.id,
  agentId: call.agent.id,
  sessionId: call.sessionId,
  sequence: null,
  callId: `call-${number}`,
  tool: call.tool.id,
  verdict: 'ALLOW',
  outcome: null,
  contentType: null,
  data: {
    ...{ basis: 'PERMITTED', explanation: 'The call is allowed.', advice: [], reasons: [], obligations: [], approvalNeeded: null },
    ...{ failed: [], shadow: null, epoch: 7, requestId: null, toolId: call.tool.id, toolDefinitionDigest: call.tool.definitionDigest },
    ...{ actionType: call.tool.actionType, arguments: call.arguments, facts: factsOf(call) },
  },
});
