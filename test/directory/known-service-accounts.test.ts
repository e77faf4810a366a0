import { expect, it } from '@jest/globals';
import { rememberServiceAccounts } from '../../src/directory/index.js';
import type { ServiceAccountsAt } from '../../src/directory/ports.js';
import { organizationId } from '../../src/kernel/index.js';

const acme = organizationId('acme');

/** A directory whose epoch moves with each change; what it was asked, and how often it read accounts. */
function aReader() {
  let now = 1_000_000;
  let at: ServiceAccountsAt = { epoch: 1, owners: new Map([['ci', 'ada']]) };
  let isBroken = false;
  const asked: string[] = [];
  const known = rememberServiceAccounts(
    {
      async serviceAccounts(_organization, earlier) {
        const answer = at;
        await Promise.resolve();
        if (isBroken) throw new Error('gone');
        asked.push(earlier?.epoch === answer.epoch ? 'epoch' : 'accounts');
        return earlier?.epoch === answer.epoch ? earlier : answer;
      },
    },
    () => new Date(now),
  );
  return {
    known,
    asked,
    owners: async () => Object.fromEntries(await known.owners(acme)),
    pass: (milliseconds: number) => void (now += milliseconds),
    push: (owners: Readonly<Record<string, string | null>>) => void (at = { epoch: at.epoch + 1, owners: new Map(Object.entries(owners)) }),
    breakIt: (broken: boolean) => void (isBroken = broken),
  };
}

it('asks twice a second and organization, however often it is asked, and reads the accounts when the epoch has moved', async () => {
  const { known, owners, asked, pass, push } = aReader();

  expect(await Promise.all([owners(), owners()])).toEqual([{ ci: 'ada' }, { ci: 'ada' }]);
  pass(499);
  await owners();
  expect(asked).toEqual(['accounts']);

  pass(1);
  expect(await owners()).toEqual({ ci: 'ada' });
  expect(asked).toEqual(['accounts', 'epoch']);

  push({ ci: 'bob', siem: null });
  pass(500);
  expect(await owners()).toEqual({ ci: 'bob', siem: null });
  await known.owners(organizationId('other'));
  expect(asked).toEqual(['accounts', 'epoch', 'accounts', 'accounts']);
});

it('asks at once for an organization that it was told to forget', async () => {
  const { known, owners, push } = aReader();
  await owners();
  push({});

  const before = known.owners(acme);
  known.forget(acme);

  expect(await owners()).toEqual({});
  expect(Object.fromEntries(await before)).toEqual({ ci: 'ada' });
});

it('is not given what was being read when it was told to forget', async () => {
  const { known, owners, push } = aReader();
  const reading = owners();
  push({ ci: 'bob' });
  known.forget(acme);

  expect(await owners()).toEqual({ ci: 'bob' });
  expect(await reading).toEqual({ ci: 'ada' });
});

it('remembers no failure, and what it knew before', async () => {
  const { owners, asked, pass, breakIt } = aReader();
  await owners();
  pass(500);
  breakIt(true);

  await expect(owners()).rejects.toThrow('gone');
  breakIt(false);
  expect(await owners()).toEqual({ ci: 'ada' });
  expect(asked).toEqual(['accounts', 'epoch']);
});
