import type { Company } from '../support/company.js';
import { seededRandom, type Random } from '../support/random.js';
import { aRun, type Run } from '../support/sessions.js';

// Digits of these widths are written over in bodies that are ready to send.
const DIGITS = 12;
const EVENT_ID = `event-${'0'.repeat(DIGITS)}`;
const TIME = '2000-01-01T00:00:00.000';
const sessionId = (number: number): string => `session-${String(number).padStart(DIGITS, '0')}`;

/** How many sessions report through one process of the agent service at a time. */
const LIVE_SESSIONS = 8;
/** Sessions get new numbers with each batch; with single events, once all clients together have sent as many. */
const SINGLES_OF_A_SESSION = 2_048;
const SESSION_NUMBERS = 1_000;
/** The sessions of two senders have different numbers. */
const NUMBERS_OF_A_SENDER = 30;

/** A request body that can be sent over and over, each time with events that nobody has sent before. */
export interface Body {
  readonly events: number;
  /** The bytes, in which the events have the numbers from `firstEvent` on, and times up to now. They are written over by the next call. */
  fill(firstEvent: number, now: number): Buffer;
}

/**
 * Bodies of `events` CloudEvents each, as the agent service sends them: about 1 KB an event, several sessions mixed. To fill one costs
 * about a microsecond an event, so that the sender takes little from what it measures.
 *
 * @param form `batch`: a JSON array; `single`: one event, which then is all there is in a body
 * @param events of one body; without meaning for `single`
 * @param seed another one for each sender
 */
export function cloudEventBodies(
  company: Company,
  form: 'batch' | 'single',
  bodies: number,
  events: number,
  seed: number,
): readonly Body[] {
  const random = seededRandom(seed);
  const begin = (): Generator<object, never> => mixedSteps(random, company, seed * NUMBERS_OF_A_SENDER);
  const singles = begin();
  return Array.from({ length: bodies }, () => {
    if (form === 'single') return bodyOf(JSON.stringify(singles.next().value), SINGLES_OF_A_SESSION);
    // Sessions of its own, from their beginnings: their counters have no gaps.
    const steps = begin();
    return bodyOf(JSON.stringify(Array.from({ length: events }, () => steps.next().value)), events);
  });
}

function* mixedSteps(random: Random, company: Company, firstSession: number): Generator<object, never> {
  let sessions = firstSession;
  const begin = (): { readonly run: Run; sequence: number } => ({
    run: aRun(random, company, sessionId(sessions++ % SESSION_NUMBERS)),
    sequence: 0,
  });
  const live = Array.from({ length: LIVE_SESSIONS }, begin);
  for (let turn = 0; ; turn = (turn + 1) % LIVE_SESSIONS) {
    const session = live[turn] ?? begin();
    const step = session.run.steps.next().value;
    if (step === undefined) live[turn] = begin();
    // A decision is what the service itself records.
    else if (step.verdict === null) yield cloudEventOf(session.run, session.sequence++, step);
  }
}

function cloudEventOf(
  run: Run,
  sequence: number,
  step: { readonly type: string; readonly callId: string | null; readonly data: object },
): object {
  return {
    specversion: '1.0',
    id: EVENT_ID,
    type: step.type,
    source: '/duo_workflow_service',
    subject: run.sessionId,
    // Python's isoformat, with microseconds.
    time: `${TIME}123+00:00`,
    datacontenttype: 'application/json',
    sequence,
    projectid: run.projectId,
    userid: run.userId,
    agentid: run.agentId,
    ...(step.callId !== null && { callid: step.callId }),
    data: step.data,
  };
}

function bodyOf(text: string, eventsOfASession: number): Body {
  // Everything is ASCII: places in the text are places in the bytes.
  const bytes = Buffer.from(text, 'latin1');
  const ids = placesOf(text, /event-0{12}/g, 'event-'.length);
  const times = placesOf(text, /2000-01-01T00:00:00\.000/g, 0);
  const sessions = placesOf(text, /session-\d{12}/g, 'session-'.length);
  const numbers = sessions.map((place) => Number(text.slice(place, place + DIGITS)));
  return {
    events: ids.length,
    fill(firstEvent, now) {
      const firstSession = Math.floor(firstEvent / eventsOfASession) * SESSION_NUMBERS;
      ids.forEach((place, index) => bytes.write(digits(firstEvent + index), place, 'latin1'));
      times.forEach((place, index) => bytes.write(new Date(now - ids.length + index).toISOString().slice(0, TIME.length), place, 'latin1'));
      sessions.forEach((place, index) => bytes.write(digits(firstSession + (numbers[index] ?? 0)), place, 'latin1'));
      return bytes;
    },
  };
}

const placesOf = (text: string, pattern: RegExp, skip: number): readonly number[] =>
  [...text.matchAll(pattern)].map((match) => match.index + skip);

const digits = (number: number): string => String(number).padStart(DIGITS, '0');
