import { describe, expect, it } from '@jest/globals';
import { groupCommit, type Receipt } from '../../src/audit/index.js';
import { Failure, organizationId, type OrganizationId } from '../../src/kernel/index.js';
import { acme, anAppend, someAppends } from './events.js';
import { aHeldAuditLog } from './held-audit-log.js';

class BadValue extends Error {}

function givenGroupCommit(maxWaitingEvents = 10_000) {
  const held = aHeldAuditLog();
  const committed: OrganizationId[] = [];
  const log = groupCommit({
    log: held,
    maxWaitingEvents,
    committed: (organization) => committed.push(organization),
    isDataError: (error) => error instanceof BadValue,
  });
  return { held, log, committed };
}

const sourceIds = (receipts: readonly Receipt[]) => receipts.map(({ stored }) => stored.event.sourceId);

describe('groupCommit', () => {
  it('sends the first event at once, and together what arrives while it is under way', async () => {
    const { held, log } = givenGroupCommit();

    const first = log.append(acme, someAppends(1, 'first'));
    const rest = [log.append(acme, someAppends(2, 'second')), log.append(acme, someAppends(1, 'third'))];
    const one = await held.next();
    expect(held.calls.map((call) => call.sourceIds)).toEqual([['first-0']]);
    one.release();
    const two = await held.next();
    two.release();

    expect(two.sourceIds).toEqual(['second-0', 'second-1', 'third-0']);
    expect((await Promise.all([first, ...rest])).map(sourceIds)).toEqual([['first-0'], ['second-0', 'second-1'], ['third-0']]);
  });

  it('answers each request in its own order, and says what was there before', async () => {
    const { held, log } = givenGroupCommit();
    const again = anAppend({ sourceId: 'again' });

    const first = log.append(acme, [again]);
    const second = log.append(acme, [anAppend({ sourceId: 'b' }), again, anAppend({ sourceId: 'a' })]);
    const third = log.append(acme, [again]);
    (await held.next()).release();
    (await held.next()).release();

    expect(
      (await Promise.all([first, second, third])).map((receipts) =>
        receipts.map(({ status, stored }) => `${stored.event.sourceId} ${status}`),
      ),
    ).toEqual([['again stored'], ['b stored', 'again duplicate', 'a stored'], ['again duplicate']]);
  });

  it('answers no sooner than the commit', async () => {
    const { held, log } = givenGroupCommit();
    const order: string[] = [];

    const answered = log.append(acme, someAppends(1, 'e')).then(() => order.push('answered'));
    const call = await held.next();
    order.push('committed');
    call.release();
    await answered;

    expect(order).toEqual(['committed', 'answered']);
  });

  it('lets no organization wait for another, nor share its commit', async () => {
    const { held, log } = givenGroupCommit();
    const other = organizationId('other');

    const mine = log.append(acme, someAppends(1, 'mine'));
    const theirs = log.append(other, someAppends(1, 'theirs', other));
    await held.next();
    (await held.next()).release();

    expect(sourceIds(await theirs)).toEqual(['theirs-0']);
    held.calls[0]?.release();
    expect(sourceIds(await mine)).toEqual(['mine-0']);
  });

  it('puts at most 1,000 events into one commit and never divides a request', async () => {
    const { held, log } = givenGroupCommit();

    const all = [1, 600, 400, 1, 500, 500, 500].map((count, index) => log.append(acme, someAppends(count, `r${index}`)));
    const sizes: number[] = [];
    for (let stored = 0; stored < 2_502; stored += sizes.at(-1) ?? 0) {
      const call = await held.next();
      sizes.push(call.sourceIds.length);
      call.release();
    }
    await Promise.all(all);

    expect(sizes).toEqual([1, 1_000, 501, 1_000]);
  });

  it('takes a request that alone is larger than a group', async () => {
    const { held, log } = givenGroupCommit();

    const large = log.append(acme, someAppends(1_200, 'large'));
    (await held.next()).release();

    expect(await large).toHaveLength(1_200);
  });

  it('asks for nothing when it is given nothing', async () => {
    const { held, log } = givenGroupCommit();

    expect(await log.append(acme, [])).toEqual([]);
    expect(held.calls).toEqual([]);
  });

  it('says once per commit that there is something to sequence, and never when nothing was stored', async () => {
    const { held, log, committed } = givenGroupCommit();

    const appends = ['a', 'b', 'c'].map((name) => log.append(acme, someAppends(1, name)));
    (await held.next()).fail(new Error('away'));
    await expect(appends[0]).rejects.toThrow('away');
    expect(committed).toEqual([]);
    (await held.next()).release();
    await Promise.all(appends.slice(1));

    expect(committed).toEqual([acme]);
  });
});

describe('what waits', () => {
  it('is bounded over all organizations: more is refused whole and at once, and taken again when there is room', async () => {
    const { held, log } = givenGroupCommit(5);
    const [other, third] = [organizationId('other'), organizationId('third')];

    const taken = [log.append(acme, someAppends(2, 'a')), log.append(third, someAppends(2, 'b', third))];
    await expect(log.append(other, someAppends(2, 'c', other))).rejects.toEqual(
      new Failure(
        'OVERLOADED',
        'Too many audit events are waiting to be stored. Nothing of this request was stored; send it again in a moment.',
      ),
    );
    (await held.next()).release();
    await taken[0];
    const later = log.append(other, someAppends(2, 'c', other));
    (await held.next()).release();
    (await held.next()).release();
    await Promise.all([...taken, later]);

    expect(held.calls.map((call) => call.sourceIds)).toEqual([
      ['a-0', 'a-1'],
      ['b-0', 'b-1'],
      ['c-0', 'c-1'],
    ]);
  });

  it('of one organization is at most half of that, so that the others find room', async () => {
    const { held, log } = givenGroupCommit(6);
    const other = organizationId('other');

    const taken = ['a', 'b', 'c'].map((name) => log.append(acme, someAppends(1, name)));
    await expect(log.append(acme, someAppends(1, 'd'))).rejects.toMatchObject({ code: 'OVERLOADED' });
    const theirs = log.append(other, someAppends(3, 'e', other));
    for (let groups = 0; groups < 3; groups += 1) (await held.next()).release();

    expect((await Promise.all([...taken, theirs])).map(({ length }) => length)).toEqual([1, 1, 1, 3]);
  });

  it('is bounded in size too, however few events it is', async () => {
    const { held, log } = givenGroupCommit();
    const large = (name: string) => [anAppend({ sourceId: name, data: { tool_name: 'read_file', tool_args: 'x'.repeat(34_000_000) } })];

    const taken = log.append(acme, large('a'));
    await expect(log.append(acme, large('b'))).rejects.toMatchObject({ code: 'OVERLOADED' });
    (await held.next()).release();
    await taken;
    const later = log.append(acme, large('b'));
    (await held.next()).release();
    await later;

    expect(held.calls.map((call) => call.sourceIds)).toEqual([['a'], ['b']]);
  });

  it('goes in groups of a size that one statement can have', async () => {
    const { held, log } = givenGroupCommit();
    const large = (name: string) => [anAppend({ sourceId: name, data: { tool_name: 'read_file', tool_args: 'x'.repeat(3_000_000) } })];

    const appends = ['a', 'b', 'c', 'd'].map((name) => log.append(acme, large(name)));
    for (const _append of appends.slice(1)) (await held.next()).release();
    await Promise.all(appends);

    expect(held.calls.map((call) => call.sourceIds)).toEqual([['a'], ['b', 'c'], ['d']]);
  });

  it('makes room for others also when it fails', async () => {
    const { held, log } = givenGroupCommit(2);

    const failed = log.append(acme, someAppends(2, 'a'));
    (await held.next()).fail(new Error('away'));
    await expect(failed).rejects.toThrow('away');
    const next = log.append(acme, someAppends(2, 'b'));
    (await held.next()).release();

    expect(await next).toHaveLength(2);
  });
});

describe('a failure', () => {
  it('of the store reaches everybody who shared the commit, and nobody else', async () => {
    const { held, log } = givenGroupCommit();

    const [first, second, third] = ['a', 'b', 'c'].map((name) => log.append(acme, someAppends(1, name)));
    (await held.next()).release();
    const shared = Promise.allSettled([second, third]);
    (await held.next()).fail(new Failure('UNAVAILABLE', 'The database cannot be reached.'));

    expect((await shared).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await first).toHaveLength(1);
    const later = log.append(acme, someAppends(1, 'd'));
    (await held.next()).release();
    expect(await later).toHaveLength(1);
  });

  it('about a value is that one’s alone: the others of its commit are stored', async () => {
    const { held, log, committed } = givenGroupCommit();

    const all = Promise.allSettled(['running', 'good', 'bad', 'fine'].map((name) => log.append(acme, someAppends(1, name))));
    (await held.next()).release();
    (await held.next()).fail(new BadValue());
    for (const isGood of [true, false, true]) {
      const call = await held.next();
      if (isGood) call.release();
      else call.fail(new BadValue('bad'));
    }

    expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(held.calls.map((call) => call.sourceIds)).toEqual([
      ['running-0'],
      ['good-0', 'bad-0', 'fine-0'],
      ['good-0'],
      ['bad-0'],
      ['fine-0'],
    ]);
    expect(committed).toHaveLength(3);
  });

  it('about a value of a request alone is not tried again', async () => {
    const { held, log } = givenGroupCommit();

    const bad = log.append(acme, someAppends(1, 'bad'));
    (await held.next()).fail(new BadValue('no'));

    await expect(bad).rejects.toThrow('no');
    expect(held.calls).toHaveLength(1);
  });
});
