import { eventOf, OWN_SOURCE, seal, sealContent, type NewEvent } from '../../src/audit/index.js';
import { splitContent } from '../../src/audit/content.js';
import { postgresAuditLog } from '../../src/audit/postgres.js';
import { organizationId } from '../../src/kernel/index.js';
import { openDatabase } from '../../src/platform/postgres.js';
import { theCompany } from '../support/company.js';
import { showProgress } from '../support/progress.js';
import { settle } from '../support/settle.js';
import { aRun, type Run, type Step } from '../support/sessions.js';
import { evenly, seededRandom, type Random } from '../support/random.js';
import type { Targets } from './targets.js';

const DAYS = 30;
/** A session does something about every seven seconds. */
const SECONDS_BETWEEN_STEPS = 7;
const WRITERS = 4;
const WRITE_EVENTS = 1_000;

/**
 * Fills the log of a running service with `events` events of the last 30 days, in the order of their times.
 *
 * They go through the product's own adapter, below HTTP and authority alone: whatever the product keeps of an event, now or one day,
 * is there. Positions are given by the service's own sequencer. Ends when every event has one and every table has its statistics, as
 * autovacuum would see to in time.
 */
export async function fill(databaseUrl: string, events: number, targets: Targets): Promise<void> {
  const database = openDatabase(databaseUrl, WRITERS);
  const log = postgresAuditLog(database.of, new Set());
  const organization = organizationId(theCompany.id);
  const stream = newEvents(seededRandom(1), events);
  const progress = showProgress(`Filling in ${events.toLocaleString('en')} events`, events, 'events');
  const write = async (): Promise<void> => {
    for (let batch = take(stream, WRITE_EVENTS); batch.length > 0; batch = take(stream, WRITE_EVENTS)) {
      const sealed = batch.map((event) => {
        const { data, content: apart } = splitContent(event.type, event.data);
        const content = sealContent(apart);
        return seal(eventOf(organization, recordedAt(event), { ...event, data }, { data }, content), content);
      });
      for (const { event } of sealed) targets.see(event);
      await log.append(
        organization,
        sealed.map((each) => ({ sealed: each, key: null })),
      );
      progress.advance(batch.length);
    }
  };
  try {
    await Promise.all(Array.from({ length: WRITERS }, write));
  } finally {
    progress.stop();
    await database.close();
  }
  await settle(databaseUrl, events);
}

function take(stream: Iterator<NewEvent, undefined>, count: number): readonly NewEvent[] {
  const taken: NewEvent[] = [];
  for (let next = stream.next(); next.done !== true; next = stream.next()) {
    taken.push(next.value);
    if (taken.length === count) break;
  }
  return taken;
}

const recordedAt = (event: NewEvent): Date => new Date(Date.parse(event.occurredAt) + 200);

/** Sessions of the whole company, as many at a time as the number of events over 30 days has it. */
function* newEvents(random: Random, events: number): Generator<NewEvent, undefined> {
  const endsAt = Date.now() - 60_000;
  const stepMilliseconds = (DAYS * 86_400_000) / events;
  let sessions = 0;
  const begin = (): { readonly run: Run; sequence: number } => ({
    run: aRun(random, theCompany, `session-${(sessions += 1)}`),
    sequence: 0,
  });
  const live = Array.from({ length: Math.max(2, Math.round((SECONDS_BETWEEN_STEPS * 1_000) / stepMilliseconds)) }, begin);
  for (let number = 0; number < events;) {
    const place = evenly(random, live.length);
    const session = live[place] ?? begin();
    const step = session.run.steps.next().value;
    if (step === undefined) {
      live[place] = begin();
      continue;
    }
    number += 1;
    yield eventIn(session.run, session.sequence++, step, new Date(endsAt - (events - number) * stepMilliseconds));
  }
  return undefined;
}

function eventIn(run: Run, sequence: number, step: Step, at: Date): NewEvent {
  const isDecision = step.verdict !== null;
  return {
    type: step.type,
    source: isDecision ? OWN_SOURCE : '/duo_workflow_service',
    sourceId: `${run.sessionId}-${sequence}`,
    occurredAt: at.toISOString(),
    recordedBy: isDecision ? run.userId : theCompany.reporter,
    projectId: run.projectId,
    userId: run.userId,
    agentId: run.agentId,
    sessionId: run.sessionId,
    sequence: isDecision ? null : sequence,
    callId: step.callId,
    tool: step.tool,
    verdict: step.verdict,
    outcome: outcomeOf(step.type),
    contentType: isDecision ? null : 'application/json',
    data: step.data,
  };
}

function outcomeOf(type: string): NewEvent['outcome'] {
  if (type === 'ai_tool_response_received') return 'SUCCEEDED';
  return type === 'ai_tool_execution_failed' ? 'FAILED' : null;
}
