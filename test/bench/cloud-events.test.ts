import { describe, expect, it } from '@jest/globals';
import { cloudEventBodies } from '../../bench/ingest/cloud-events.js';
import { theCompany } from '../../bench/support/company.js';
import { parseCloudEvent } from '../../src/audit/cloud-event.js';
import { isJsonObject, type JsonObject } from '../../src/kernel/index.js';

const NOW = Date.parse('2026-11-24T12:00:00.000Z');

function eventsIn(bytes: Buffer): readonly JsonObject[] {
  const events: unknown = JSON.parse(bytes.toString());
  return (Array.isArray(events) ? events : [events]).filter(isJsonObject);
}

describe('a body of the ingest benchmark', () => {
  it('holds events that the service takes, of about a kilobyte, with places for the project, the user, the agent and the session', () => {
    const [body] = cloudEventBodies(theCompany, 'batch', 1, 500, 1);
    const bytes = body?.fill(0, NOW) ?? Buffer.alloc(0);

    const parsed = eventsIn(bytes).map((event) => parseCloudEvent(event, 'reporter', new Date(NOW), { maxAgeDays: 1, maxAheadSeconds: 0 }));

    expect(parsed).toHaveLength(500);
    for (const event of parsed)
      expect(event).toMatchObject({
        projectId: expect.stringContaining('Project'),
        userId: expect.stringContaining('User'),
        agentId: expect.stringContaining('Agent'),
        sessionId: expect.stringContaining('session-'),
      });
    expect(bytes.length / 500).toBeGreaterThan(800);
    expect(bytes.length / 500).toBeLessThan(1_200);
  });

  it('is new each time that it is filled: other ids and sessions, times up to now', () => {
    const [body] = cloudEventBodies(theCompany, 'batch', 1, 50, 1);
    const first = eventsIn(body?.fill(0, NOW) ?? Buffer.alloc(0));
    const second = eventsIn(body?.fill(50, NOW + 5_000) ?? Buffer.alloc(0));

    expect(new Set([...first, ...second].map(({ id }) => id)).size).toBe(100);
    const sessionsBefore = new Set(first.map(({ subject }) => subject));
    expect(second.filter(({ subject }) => sessionsBefore.has(subject ?? null))).toEqual([]);
    const latest = (events: readonly JsonObject[]) => Math.max(...events.map(({ time }) => Date.parse(String(time))));
    expect([latest(first), latest(second)]).toEqual([NOW - 1, NOW + 4_999]);
    const call = second.find(({ callid }) => callid !== undefined);
    expect(String(call?.['callid'])).toContain(String(call?.['subject']));
  });

  it('is the same on every run', () => {
    const once = () => cloudEventBodies(theCompany, 'single', 3, 1, 7).map((body) => body.fill(0, NOW).toString());

    expect(once()).toEqual(once());
    expect(new Set(once()).size).toBe(3);
  });
});
