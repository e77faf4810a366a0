import { expect, it } from '@jest/globals';
import { rememberSettings } from '../../src/audit/index.js';
import type { RetentionSetting } from '../../src/audit/retention/ports.js';
import { organizationId } from '../../src/kernel/index.js';

const acme = organizationId('acme');
const setting: RetentionSetting = { namespaceId: 'acme', class: 'CONTENT', days: 30, setAt: new Date(0), setBy: 'ada' };

function aReader() {
  let now = 1_000_000;
  let readings = 0;
  let answer: () => Promise<readonly RetentionSetting[]> = async () => [setting];
  const known = rememberSettings({ settings: () => ((readings += 1), answer()) }, () => new Date(now));
  return {
    known,
    readings: () => readings,
    pass: (milliseconds: number) => void (now += milliseconds),
    breakIt: () => void (answer = () => Promise.reject(new Error('gone'))),
    mendIt: () => void (answer = async () => []),
  };
}

it('reads settings once a second and organization, however often they are asked for', async () => {
  const { known, readings, pass } = aReader();

  expect(await Promise.all([known(acme), known(acme)])).toEqual([[setting], [setting]]);
  pass(999);
  await known(acme);
  expect(readings()).toBe(1);
  await known(organizationId('other'));
  pass(1);
  await known(acme);
  expect(readings()).toBe(3);
});

it('remembers no failure', async () => {
  const { known, breakIt, mendIt } = aReader();
  breakIt();

  await expect(known(acme)).rejects.toThrow('gone');
  mendIt();
  expect(await known(acme)).toEqual([]);
});
