import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { canonicalEvent, eventFrom } from '../../src/audit/event.js';
import { seal, sealOf } from '../../src/audit/seal.js';
import { organizationId } from '../../src/kernel/index.js';
import { aRandomJson } from '../kernel/random-json.js';
import { aRandom } from '../support/random.js';
import { anEvent } from './events.js';

const fixed = { sourceId: 'e-1', occurredAt: '2026-11-22T09:30:00.000Z' };

describe('the id of an event', () => {
  it('holds the time, and is the same for a retry, whatever else it says', () => {
    const { id } = anEvent(fixed);

    expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(Date.parse(fixed.occurredAt));
    expect(anEvent({ ...fixed, data: 'else', type: 'other', userId: 'eve' }).id).toBe(id);
  });

  it.each([
    ['another source', anEvent({ ...fixed, source: '/other' })],
    ['another source id', anEvent({ ...fixed, sourceId: 'e-2' })],
    ['another time', anEvent({ ...fixed, occurredAt: '2026-11-22T09:30:00.001Z' })],
    ['another organization', anEvent(fixed, organizationId('other'))],
    ['the same text divided elsewhere', anEvent({ ...fixed, source: '/testse', sourceId: '-1' })],
  ])('is another one for %s', (_what, { id }) => {
    expect(id).not.toBe(anEvent(fixed).id);
  });
});

describe('the stored bytes', () => {
  it('are canonical JSON with a version, without what is null', () => {
    const { recordedAt, id, ...event } = anEvent(fixed);

    expect(canonicalEvent({ ...event, id, recordedAt })).toBe(
      `{"data":{"tool_name":"read_file"},"id":"${id}","occurredAt":"2026-11-22T09:30:00.000Z","organizationId":"acme","recordedAt":"${recordedAt}","source":"/tests","sourceId":"e-1","tool":"read_file","type":"ai_tool_invoked","v":1}`,
    );
  });

  it.each([...Array(20).keys()])('give the event back as it was (seed %i)', (seed) => {
    const random = aRandom(seed);
    const given = anEvent({
      data: aRandomJson(random, 5),
      attributes: { ext: aRandomJson(random, 3) },
      sequence: random.pick([null, 0, 7]),
      userId: random.pick([null, 'ada']),
      verdict: random.pick([null, 'ALLOW', 'DENY'] as const),
      outcome: random.pick([null, 'FAILED'] as const),
    });

    const back = eventFrom(canonicalEvent(given));

    expect(canonicalEvent(back)).toBe(canonicalEvent(given));
    expect(back).toEqual({
      ...given,
      data: JSON.parse(JSON.stringify(given.data)),
      attributes: JSON.parse(JSON.stringify(given.attributes)),
    });
  });
});

describe('the seal', () => {
  it('is SHA-256 of the salt and the stored bytes, as anybody can recompute', () => {
    const { json, salt, seal: sealed, event } = seal(anEvent());

    expect(sealed).toEqual(
      createHash('sha256')
        .update(Buffer.concat([salt, Buffer.from(json, 'utf8')]))
        .digest(),
    );
    expect(sealOf(salt, canonicalEvent(eventFrom(json)))).toEqual(sealed);
    expect(json).toBe(canonicalEvent(event));
    expect(salt).toHaveLength(16);
  });

  it('has another salt every time', () => {
    const event = anEvent();

    expect(seal(event).seal).not.toEqual(seal(event).seal);
  });

  it.each([
    ['a byte of the text', (json: string) => json.replace('read_file', 'read_filf')],
    ['one space', (json: string) => `${json} `],
  ])('breaks with %s', (_what, change) => {
    const { json, salt, seal: sealed } = seal(anEvent());

    expect(sealOf(salt, change(json))).not.toEqual(sealed);
  });
});
