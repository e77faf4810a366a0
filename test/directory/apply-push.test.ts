import { describe, expect, it } from '@jest/globals';
import { MAX_DEPTH } from '../../src/directory/place-namespaces.js';
import { aRandom, type Random } from '../support/random.js';
import { acmeRows, aDirectory, aGroupRow, anOrganizationRow, aProjectRow } from './directory.js';

const acmeTree = {
  acme: 'acme',
  payments: 'acme > payments',
  api: 'acme > payments > api',
  cards: 'acme > payments > cards',
  ledger: 'acme > payments > cards > ledger',
  search: 'acme > search',
};
const none = { received: 0, created: 0, updated: 0, unchanged: 0, deleted: 0, rejected: 0 };

describe('a push of namespaces', () => {
  it.each([...Array(20).keys()])('makes the same tree in any order of its rows (seed %i)', (seed) => {
    const directory = aDirectory();

    const outcome = directory.push({ namespaces: [...aRandom(seed).shuffled(acmeRows)] });

    expect(outcome).toEqual({
      namespaces: { ...none, received: 6, created: 6 },
      memberships: none,
      agents: none,
      serviceAccounts: none,
      users: none,
      errors: [],
    });
    expect(directory.tree()).toEqual(acmeTree);
  });

  it('changes nothing when it comes again', () => {
    const directory = aDirectory({ namespaces: acmeRows });
    const before = directory.state;

    const outcome = directory.push({ namespaces: acmeRows });

    expect(outcome.namespaces).toEqual({ ...none, received: 6, unchanged: 6 });
    expect(directory.state).toEqual(before);
  });

  it.each([...Array(40).keys()])('turns any tree into any other, whatever the order of rows (seed %i)', (seed) => {
    const random = aRandom(seed);
    const directory = aDirectory({ namespaces: aRandomTree(random).rows });
    const target = aRandomTree(random);

    const outcome = directory.push({ namespaces: [...random.shuffled(target.rows)] });

    expect(outcome.errors).toEqual([]);
    expect(directory.tree()).toEqual(target.tree);
  });

  it('takes the path for a name that is missing', () => {
    const directory = aDirectory({ namespaces: [anOrganizationRow, aGroupRow('payments')] });

    expect(directory.state.namespaces.get('payments')?.name).toBe('payments');
  });
});

describe('a move', () => {
  it('carries everything below and counts it', () => {
    const directory = aDirectory({ namespaces: acmeRows });

    const outcome = directory.push({ namespaces: [aGroupRow('cards', 'search'), anOrganizationRow, aGroupRow('payments')] });

    expect(directory.tree()).toEqual({ ...acmeTree, cards: 'acme > search > cards', ledger: 'acme > search > cards > ledger' });
    expect(outcome.namespaces).toEqual({ ...none, received: 3, updated: 2, unchanged: 2 });
  });

  it.each([
    ['parent first', [aGroupRow('cards', 'acme'), aGroupRow('payments', 'cards')]],
    ['child first', [aGroupRow('payments', 'cards'), aGroupRow('cards', 'acme')]],
  ])('may swap a group with the one above it, %s', (_what, namespaces) => {
    const directory = aDirectory({ namespaces: acmeRows });

    expect(directory.push({ namespaces }).errors).toEqual([]);
    expect(directory.tree()).toMatchObject({
      cards: 'acme > cards',
      payments: 'acme > cards > payments',
      api: 'acme > cards > payments > api',
    });
  });

  it('below itself is refused, and the others go on', () => {
    const directory = aDirectory({ namespaces: acmeRows });

    const outcome = directory.push({ namespaces: [aGroupRow('payments', 'cards'), aGroupRow('search', 'search'), aGroupRow('new')] });

    expect(outcome.errors).toEqual([
      { collection: 'namespaces', index: 0, path: 'parentId', message: 'must not lie below the namespace itself' },
      { collection: 'namespaces', index: 1, path: 'parentId', message: 'must not lie below the namespace itself' },
    ]);
    expect(outcome.namespaces).toEqual({ ...none, received: 3, created: 1, rejected: 2 });
    expect(directory.tree()).toEqual({ ...acmeTree, new: 'acme > new' });
  });

  it('in a ring is refused as a whole: neither hangs on to anything', () => {
    const directory = aDirectory({ namespaces: [anOrganizationRow] });

    const outcome = directory.push({ namespaces: [aGroupRow('a', 'b'), aGroupRow('b', 'a')] });

    expect(outcome.errors.map(({ index, path, message }) => [index, path, message])).toEqual([
      [0, 'parentId', 'must not lie below the namespace itself'],
      [1, 'parentId', 'must not lie below the namespace itself'],
    ]);
    expect(directory.tree()).toEqual({ acme: 'acme' });
  });
});

describe('a deletion', () => {
  it('carries everything below, with its members', () => {
    const directory = aDirectory({
      namespaces: acmeRows,
      memberships: [
        { userId: 'ada', namespaceId: 'payments', role: 'OWNER' },
        { userId: 'ada', namespaceId: 'ledger', role: 'GUEST' },
        { userId: 'ada', namespaceId: 'search', role: 'DEVELOPER' },
      ],
    });

    const outcome = directory.push({ namespaces: [{ id: 'payments', deleted: true }, aGroupRow('search')] });

    expect(directory.tree()).toEqual({ acme: 'acme', search: 'acme > search' });
    expect(directory.members()).toEqual(['ada is DEVELOPER in search']);
    expect(outcome.namespaces).toEqual({ ...none, received: 2, deleted: 4, unchanged: 1 });
    expect(outcome.memberships).toEqual({ ...none, deleted: 2 });
  });

  it.each([
    ['before', [{ id: 'payments', deleted: true }, aGroupRow('cards', 'search')]],
    ['after', [aGroupRow('cards', 'search'), { id: 'payments', deleted: true }]],
  ])('spares what moves out in the same push, deleted %s the move', (_what, namespaces) => {
    const directory = aDirectory({ namespaces: acmeRows });

    expect(directory.push({ namespaces }).errors).toEqual([]);
    expect(directory.tree()).toMatchObject({ cards: 'acme > search > cards' });
    expect(directory.tree()).not.toHaveProperty('payments');
  });

  it.each([...Array(12).keys()])('and a move out, with members, mean the same in any order of rows (seed %i)', (seed) => {
    const directory = aDirectory({
      namespaces: [...acmeRows, aGroupRow('inner', 'cards'), aProjectRow('deep', 'inner')],
      memberships: [
        { userId: 'ada', namespaceId: 'deep', role: 'OWNER' },
        { userId: 'bob', namespaceId: 'payments', role: 'OWNER' },
      ],
    });

    const outcome = directory.push({
      namespaces: [
        ...aRandom(seed).shuffled([{ id: 'payments', deleted: true }, { id: 'cards', deleted: true }, aGroupRow('inner', 'search')]),
      ],
    });

    expect(outcome.errors).toEqual([]);
    expect(directory.tree()).toEqual({
      ...{ acme: 'acme', search: 'acme > search' },
      ...{ inner: 'acme > search > inner', deep: 'acme > search > inner > deep' },
    });
    expect(directory.members()).toEqual(['ada is OWNER in deep']);
  });

  it('takes along what would be put below it', () => {
    const directory = aDirectory({ namespaces: acmeRows });

    const outcome = directory.push({
      namespaces: [{ id: 'payments', deleted: true }, aProjectRow('new', 'cards'), aGroupRow('cards', 'payments')],
    });

    expect(outcome.errors.map(({ index, message }) => [index, message])).toEqual([
      [1, 'there is no namespace "cards" in this organization'],
      [2, 'there is no namespace "payments" in this organization'],
    ]);
    expect(directory.tree()).toEqual({ acme: 'acme', search: 'acme > search' });
  });

  it('of what is not there changes nothing', () => {
    const outcome = aDirectory({ namespaces: acmeRows }).push({
      namespaces: [{ id: 'nobody', deleted: true }],
      memberships: [{ userId: 'ada', namespaceId: 'nobody', deleted: true }],
      agents: [{ id: 'nobody', deleted: true }],
      serviceAccounts: [{ userId: 'nobody', deleted: true }],
    });

    const unchanged = { ...none, received: 1, unchanged: 1 };
    expect(outcome).toEqual({
      namespaces: unchanged,
      memberships: unchanged,
      agents: unchanged,
      serviceAccounts: unchanged,
      users: none,
      errors: [],
    });
  });
});

describe('several rows for one namespace', () => {
  it.each([
    ['the last counts', [aGroupRow('g', 'search'), aGroupRow('g', 'payments')], 'acme > payments > g'],
    ['whatever the others would need', [aGroupRow('g', 'later'), aGroupRow('later'), aGroupRow('g', 'search')], 'acme > search > g'],
    ['also behind a deletion', [{ id: 'g', deleted: true }, aGroupRow('g', 'search')], 'acme > search > g'],
    ['also a deletion', [aGroupRow('g', 'search'), { id: 'g', deleted: true }], undefined],
  ])('%s', (_what, namespaces, line) => {
    const directory = aDirectory({ namespaces: acmeRows });

    expect(directory.push({ namespaces }).errors).toEqual([]);
    expect(directory.tree()['g']).toBe(line);
  });
});

describe('fifty thousand rows', () => {
  const projects = Array.from({ length: 20_000 }, (_row, n) => aProjectRow(`p${n}`, 'cards'));

  it('that move a group of twenty thousand projects back and forth cost what one move does', () => {
    const directory = aDirectory({ namespaces: [...acmeRows, ...projects] });

    const outcome = directory.push({
      namespaces: Array.from({ length: 50_000 }, (_row, n) => aGroupRow('cards', n % 2 === 0 ? 'payments' : 'search')),
    });

    expect(outcome.namespaces).toEqual({ ...none, received: 50_000, updated: 20_002, unchanged: 49_999 });
  });

  it('of which each needs the one before it, which is refused, are refused in one go', () => {
    const chain = Array.from({ length: 50_000 }, (_row, n) => aGroupRow(`g${n}`, n === 0 ? 'nowhere' : `g${n - 1}`));

    expect(aDirectory({ namespaces: acmeRows }).push({ namespaces: chain }).namespaces).toEqual({
      ...none,
      received: 50_000,
      rejected: 50_000,
    });
  });
});

describe('a row that is not acceptable', () => {
  const long = 'x'.repeat(301);

  it.each<[string, unknown, string, string]>([
    ['the row of another organization', { ...anOrganizationRow, id: 'other' }, 'id', 'must be the organization that the token is for'],
    ['an organization below a group', { ...anOrganizationRow, parentId: 'payments' }, 'parentId', 'must be null for an organization'],
    [
      'the organization as a group',
      { ...aGroupRow('acme', 'payments') },
      'kind',
      'must be ORGANIZATION: this is the id of the organization itself',
    ],
    ['the organization deleted', { id: 'acme', deleted: true }, 'id', 'must not be the organization: it cannot be deleted by a push'],
    [
      'a group without a parent',
      { id: 'g', kind: 'GROUP', path: 'g' },
      'parentId',
      'must name the namespace above; only an ORGANIZATION has none',
    ],
    ['a parent that is not there', aGroupRow('g', 'nowhere'), 'parentId', 'there is no namespace "nowhere" in this organization'],
    ['a project as parent', aGroupRow('g', 'api'), 'parentId', 'must name an organization or a group; a project holds no namespaces'],
    [
      'a project made of a group with something in it',
      aProjectRow('payments', 'acme'),
      'kind',
      'must be GROUP: there are namespaces below it',
    ],
    ['an empty id', aGroupRow(''), 'id', 'must not be empty'],
    ['an id that is too long', aGroupRow(long), 'id', 'must have at most 300 characters'],
    ['NUL in an id', aGroupRow('a\u0000b'), 'id', 'must be well-formed Unicode without control characters'],
    ['a lone surrogate in an id', aGroupRow('a\ud800'), 'id', 'must be well-formed Unicode without control characters'],
    ['a lone surrogate in a name', { ...aGroupRow('g'), name: '\udc00' }, 'name', 'must be well-formed Unicode without control characters'],
    ['an empty path', { ...aGroupRow('g'), path: '' }, 'path', 'must not be empty'],
    ['a name that is too long', { ...aGroupRow('g'), name: 'x'.repeat(256) }, 'name', 'must have at most 255 characters'],
    ['a deletion without an id', { deleted: true }, 'id', expect.stringContaining('expected string') as unknown as string],
    [
      'an unknown kind',
      { ...aGroupRow('g'), kind: 'TEAM' },
      'kind',
      expect.stringContaining('"ORGANIZATION"|"GROUP"|"PROJECT"') as unknown as string,
    ],
    ['null', null, '', expect.stringContaining('expected object') as unknown as string],
    ['text', 'payments', '', expect.stringContaining('expected object') as unknown as string],
  ])('is reported with its field and what is right: %s', (_what, row, path, message) => {
    const directory = aDirectory({ namespaces: acmeRows });

    const outcome = directory.push({ namespaces: [aGroupRow('good'), row] });

    expect(outcome.errors).toEqual([{ collection: 'namespaces', index: 1, path, message }]);
    expect(directory.tree()).toEqual({ ...acmeTree, good: 'acme > good' });
    expect(outcome.namespaces).toEqual({ ...none, received: 2, created: 1, rejected: 1 });
  });

  it.each<[string, unknown, string, string]>([
    [
      'a namespace that is not there',
      { userId: 'ada', namespaceId: 'nowhere', role: 'OWNER' },
      'namespaceId',
      'there is no namespace "nowhere" in this organization',
    ],
    [
      'an unknown role',
      { userId: 'ada', namespaceId: 'acme', role: 'KING' },
      'role',
      expect.stringContaining('"OWNER"') as unknown as string,
    ],
    ['no user', { namespaceId: 'acme', role: 'OWNER' }, 'userId', expect.stringContaining('expected string') as unknown as string],
  ])('among memberships: %s', (_what, row, path, message) => {
    const directory = aDirectory({ namespaces: acmeRows });

    const outcome = directory.push({ memberships: [row, { userId: 'ada', namespaceId: 'acme', role: 'GUEST' }] });

    expect(outcome.errors).toEqual([{ collection: 'memberships', index: 0, path, message }]);
    expect(directory.members()).toEqual(['ada is GUEST in acme']);
  });

  it.each<[string, object, string]>([
    ['trust above 100', { trust: 101 }, 'trust'],
    ['trust that is no whole number', { trust: 0.5 }, 'trust'],
    ['an empty class', { classes: [''] }, 'classes.0'],
    ['too many classes', { classes: Array.from({ length: 21 }, (_, n) => `c${n}`) }, 'classes'],
    ['autonomous as text', { autonomous: 'yes' }, 'autonomous'],
  ])('among agents: %s', (_what, wrong, path) => {
    const outcome = aDirectory().push({ agents: [{ id: 'coder', ...wrong }, { id: 'good' }] });

    expect(outcome.errors).toMatchObject([{ collection: 'agents', index: 0, path }]);
    expect(outcome.agents).toEqual({ ...none, received: 2, created: 1, rejected: 1 });
  });

  it.each<[string, object, string, string]>([
    [
      'a class of data that there is not',
      { dataClass: 4 },
      'dataClass',
      'must be one of PUBLIC, INTERNAL, CONFIDENTIAL, RESTRICTED, or 0 to 3',
    ],
    [
      'a class of data by another name',
      { dataClass: 'SECRET' },
      'dataClass',
      'must be one of PUBLIC, INTERNAL, CONFIDENTIAL, RESTRICTED, or 0 to 3',
    ],
    [
      'a time zone that there is not',
      { timeZone: 'Mars/Olympus' },
      'timeZone',
      'must be a name of the IANA time zone database, for example Europe/Berlin',
    ],
    [
      'an offset for a time zone',
      { timeZone: '+01:00' },
      'timeZone',
      'must be a name of the IANA time zone database, for example Europe/Berlin',
    ],
    ['a time zone of a group', { timeZone: 'Europe/Berlin' }, 'timeZone', 'must be null but for the organization: it has one clock'],
  ])('among facts of namespaces: %s', (_what, wrong, path, message) => {
    const directory = aDirectory({ namespaces: acmeRows });

    const outcome = directory.push({
      namespaces: [
        { ...aGroupRow('payments'), ...wrong },
        { ...aGroupRow('search'), frozen: true },
      ],
    });

    expect(outcome.errors).toEqual([{ collection: 'namespaces', index: 0, path, message }]);
    expect(outcome.namespaces).toMatchObject({ updated: 1, rejected: 1 });
  });

  it.each<[string, object, string]>([
    ['an empty team', { teams: [''] }, 'teams.0'],
    ['too many teams', { teams: Array.from({ length: 101 }, (_, n) => `t${n}`) }, 'teams'],
    ['no list', { teams: 'security' }, 'teams'],
  ])('among users: %s', (_what, wrong, path) => {
    const outcome = aDirectory().push({ users: [{ id: 'ada', ...wrong }, { id: 'good' }] });

    expect(outcome.errors).toMatchObject([{ collection: 'users', index: 0, path }]);
    expect(outcome.users).toEqual({ ...none, received: 2, created: 1, rejected: 1 });
  });

  it('names the organization that was never pushed', () => {
    expect(aDirectory().push({ namespaces: [aGroupRow('payments')] }).errors).toEqual([
      { collection: 'namespaces', index: 0, path: 'parentId', message: 'there is no namespace "acme" in this organization' },
    ]);
  });
});

describe('the depth', () => {
  /** g1 below the organization, g2 below g1, and so on. */
  const chain = (length: number, prefix = 'g', top = 'acme') =>
    Array.from({ length }, (_, index) => aGroupRow(`${prefix}${index + 1}`, index === 0 ? top : `${prefix}${index}`));
  const tooDeep = {
    collection: 'namespaces',
    path: 'parentId',
    message: `must leave nothing more than ${MAX_DEPTH} levels below the organization`,
  };

  it.each(['in order', 'backwards'])(`is at most ${MAX_DEPTH} levels below the organization, rows %s`, (order) => {
    const rows = [anOrganizationRow, ...chain(MAX_DEPTH)];
    const directory = aDirectory();

    expect(directory.push({ namespaces: order === 'in order' ? rows : rows.toReversed() }).errors).toEqual([]);
    expect(directory.push({ namespaces: [aGroupRow('below', `g${MAX_DEPTH}`)] }).errors).toEqual([{ ...tooDeep, index: 0 }]);
  });

  it('counts for what a moved group carries', () => {
    const directory = aDirectory({ namespaces: [anOrganizationRow, ...chain(MAX_DEPTH - 2), ...chain(3, 'h')] });

    expect(directory.push({ namespaces: [aGroupRow('h1', `g${MAX_DEPTH - 2}`)] }).errors).toEqual([{ ...tooDeep, index: 0 }]);
    expect(directory.push({ namespaces: [aGroupRow('h1', `g${MAX_DEPTH - 3}`)] }).errors).toEqual([]);
  });
});

describe('facts of namespaces and users', () => {
  it('are as the last push says: what it leaves out is not said any more', () => {
    const directory = aDirectory({
      namespaces: [
        { ...anOrganizationRow, timeZone: 'Europe/Berlin' },
        { ...aGroupRow('payments'), dataClass: 'CONFIDENTIAL', frozen: true },
      ],
      users: [
        { id: 'ada', teams: ['b', 'a', 'b'] },
        { id: 'bob', teams: ['a'] },
      ],
    });
    const facts = () =>
      [...directory.state.namespaces.values()].map(({ id, dataClass, isFrozen, timeZone }) => [id, dataClass, isFrozen, timeZone]);
    const first = facts();

    const outcome = directory.push({
      namespaces: [aGroupRow('payments')],
      users: [
        { id: 'ada', teams: ['a', 'b'] },
        { id: 'bob', deleted: true },
      ],
    });

    expect(first).toEqual([
      ['acme', null, false, 'Europe/Berlin'],
      ['payments', 2, true, null],
    ]);
    expect(facts()).toEqual([
      ['acme', null, false, 'Europe/Berlin'],
      ['payments', null, false, null],
    ]);
    expect(outcome.users).toEqual({ received: 2, created: 0, updated: 0, unchanged: 1, deleted: 1, rejected: 0 });
    expect([...directory.state.users.values()]).toEqual([{ id: 'ada', teams: ['a', 'b'] }]);
  });
});

describe('memberships and agents', () => {
  it('change, stay and go', () => {
    const directory = aDirectory({
      namespaces: acmeRows,
      memberships: ['ada', 'bob', 'eve'].map((userId) => ({ userId, namespaceId: 'payments', role: 'DEVELOPER' })),
      agents: [{ id: 'coder', classes: ['b', 'a', 'b'], trust: 40 }, { id: 'old' }],
    });

    const outcome = directory.push({
      memberships: [
        { userId: 'ada', namespaceId: 'payments', role: 'MAINTAINER' },
        { userId: 'bob', namespaceId: 'payments', role: 'DEVELOPER' },
        { userId: 'eve', namespaceId: 'payments', deleted: true },
        { userId: 'new', namespaceId: 'api', role: 'GUEST' },
      ],
      agents: [
        { id: 'coder', classes: ['a', 'b'], trust: 40 },
        { id: 'old', deleted: true },
        { id: 'planner', autonomous: true },
      ],
    });

    expect(directory.members()).toEqual(['ada is MAINTAINER in payments', 'bob is DEVELOPER in payments', 'new is GUEST in api']);
    expect(outcome.memberships).toEqual({ received: 4, created: 1, updated: 1, unchanged: 1, deleted: 1, rejected: 0 });
    expect([...directory.state.agents.values()]).toEqual([
      { id: 'coder', name: 'coder', classes: ['a', 'b'], trust: 40, ownerId: null, autonomous: false },
      { id: 'planner', name: 'planner', classes: [], trust: 0, ownerId: null, autonomous: true },
    ]);
    expect(outcome.agents).toEqual({ received: 3, created: 1, updated: 0, unchanged: 1, deleted: 1, rejected: 0 });
  });

  it('come before or with the group they are in', () => {
    const directory = aDirectory({
      namespaces: [anOrganizationRow, aGroupRow('payments')],
      memberships: [{ userId: 'ada', namespaceId: 'payments', role: 'OWNER' }],
    });

    expect(directory.members()).toEqual(['ada is OWNER in payments']);
  });

  it('keep apart what only looks the same when joined', () => {
    const directory = aDirectory({
      namespaces: [anOrganizationRow, aGroupRow('b","c'), aGroupRow('c')],
      memberships: [
        { userId: 'a', namespaceId: 'b","c', role: 'GUEST' },
        { userId: 'a","b', namespaceId: 'c', role: 'OWNER' },
      ],
    });

    expect(directory.members()).toHaveLength(2);
  });
});

describe('service accounts', () => {
  const bot = (userId: string, ownerId?: string | null) => ({ userId, ...(ownerId !== undefined && { ownerId }) });
  const notHuman = (index: number, ownerId: string) => ({
    ...{ collection: 'serviceAccounts', index, path: 'ownerId' },
    message: `must be a human: "${ownerId}" is a service account`,
  });
  const responsible = (index: number) => ({
    ...{ collection: 'serviceAccounts', index, path: 'userId' },
    message: 'must not be responsible for another service account: name a human for that one first',
  });

  it('come, change hands, stay and go', () => {
    const directory = aDirectory({ serviceAccounts: [bot('ci', 'ada'), bot('siem'), bot('old', 'ada'), bot('same', 'bob')] });

    const outcome = directory.push({
      serviceAccounts: [bot('ci', 'bob'), bot('siem', 'ada'), { userId: 'old', deleted: true }, bot('same', 'bob'), bot('new', null)],
    });

    expect(outcome.errors).toEqual([]);
    expect(outcome.serviceAccounts).toEqual({ received: 5, created: 1, updated: 2, unchanged: 1, deleted: 1, rejected: 0 });
    expect(directory.owners()).toEqual({ ci: 'bob', siem: 'ada', same: 'bob', new: null });
  });

  it('stay as they are in a push that speaks of none', () => {
    const directory = aDirectory({ serviceAccounts: [bot('ci', 'ada')] });

    expect(directory.push({ namespaces: acmeRows }).serviceAccounts).toEqual(none);
    expect(directory.owners()).toEqual({ ci: 'ada' });
  });

  it.each<[string, readonly object[], readonly object[], readonly object[], object]>([
    ['itself', [], [bot('ci', 'ci')], [notHuman(0, 'ci')], {}],
    ['one that is known', [bot('ci', 'ada')], [bot('new', 'ci')], [notHuman(0, 'ci')], { ci: 'ada' }],
    ['one of the same push, before it', [], [bot('ci'), bot('new', 'ci')], [notHuman(1, 'ci')], { ci: null }],
    ['one of the same push, behind it', [], [bot('new', 'ci'), bot('ci')], [notHuman(0, 'ci')], { ci: null }],
    ['each other', [], [bot('a', 'b'), bot('b', 'a')], [notHuman(0, 'b'), notHuman(1, 'a')], {}],
    ['one whose own row is refused', [], [bot('a', 'b'), bot('b', 'c'), bot('c')], [notHuman(0, 'b'), notHuman(1, 'c')], { c: null }],
  ])('are no humans, so never responsible for another: %s', (_what, before, serviceAccounts, errors, owners) => {
    const directory = aDirectory({ serviceAccounts: [...before] });

    expect(directory.push({ serviceAccounts: [...serviceAccounts] }).errors).toEqual(errors);
    expect(directory.owners()).toEqual(owners);
  });

  it.each<[string, readonly object[], readonly object[], object]>([
    ['refused', [bot('ada')], [responsible(0)], { ci: 'ada' }],
    ['refused too when the other row is', [bot('ada'), bot('ci', 'ci')], [responsible(0), notHuman(1, 'ci')], { ci: 'ada' }],
    ['taken when that one gets somebody else', [bot('ada'), bot('ci', 'bob')], [], { ada: null, ci: 'bob' }],
    ['taken when that one goes', [bot('ada'), { userId: 'ci', deleted: true }], [], { ada: null }],
  ])('of whoever is responsible for one make no service account: the row is %s', (_what, serviceAccounts, errors, owners) => {
    const directory = aDirectory({ serviceAccounts: [bot('ci', 'ada')] });

    expect(directory.push({ serviceAccounts: [...serviceAccounts] }).errors).toEqual(errors);
    expect(directory.owners()).toEqual(owners);
  });

  it('may be made responsible once they are no service accounts any more', () => {
    const directory = aDirectory({ serviceAccounts: [bot('was', 'ada'), bot('ci')] });

    expect(directory.push({ serviceAccounts: [bot('ci', 'was'), { userId: 'was', deleted: true }] }).errors).toEqual([]);
    expect(directory.owners()).toEqual({ ci: 'was' });
  });

  it('are as the last of several rows says, whatever the others', () => {
    const directory = aDirectory();

    const outcome = directory.push({ serviceAccounts: [bot('ci', 'siem'), bot('ci', 'ada'), bot('siem', 'ada'), bot('siem', null)] });

    expect(outcome.errors).toEqual([]);
    expect(directory.owners()).toEqual({ ci: 'ada', siem: null });
  });

  it.each<[string, unknown, string]>([
    ['no user', { ownerId: 'ada' }, 'userId'],
    ['an empty user', bot(''), 'userId'],
    ['an owner with a control character', bot('ci', 'a\u0000b'), 'ownerId'],
    ['an owner that is too long', bot('ci', 'x'.repeat(301)), 'ownerId'],
    ['something else for an owner', { userId: 'ci', ownerId: 7 }, 'ownerId'],
    ['text', 'ci', ''],
  ])('are refused one by one: %s', (_what, row, path) => {
    const directory = aDirectory();

    const outcome = directory.push({ serviceAccounts: [row, bot('good', 'ada')] });

    expect(outcome.errors).toMatchObject([{ collection: 'serviceAccounts', index: 0, path }]);
    expect(outcome.serviceAccounts).toEqual({ ...none, received: 2, created: 1, rejected: 1 });
    expect(directory.owners()).toEqual({ good: 'ada' });
  });

  it.each([...Array(20).keys()])('never have a service account for a human, whatever is pushed in whatever order (seed %i)', (seed) => {
    const random = aRandom(seed);
    const users = ['a', 'b', 'c', 'd', 'e'];
    const row = () => {
      const userId = random.pick(users);
      return random.below(4) === 0 ? { userId, deleted: true } : bot(userId, random.pick([...users, null, null]));
    };
    const directory = aDirectory();

    for (let pushes = 0; pushes < 60; pushes += 1) {
      const rows = Array.from({ length: 1 + random.below(5) }, row);
      const before = directory.owners();
      const { errors } = directory.push({ serviceAccounts: rows });

      const owners = directory.owners();
      expect(Object.values(owners).filter((owner) => owner !== null && owner in owners)).toEqual([]);
      for (const { index } of errors) expect(owners[rows[index]?.userId ?? '']).toBe(before[rows[index]?.userId ?? '']);
    }
  });
});

/** Twelve groups and projects anywhere below the organization. */
function aRandomTree(random: Random) {
  const tree: Record<string, string> = { acme: 'acme' };
  const groups = ['acme'];
  const rows: object[] = [anOrganizationRow];
  for (const id of random.shuffled(Array.from({ length: 12 }, (_, index) => `n${index}`))) {
    const parentId = random.pick(groups);
    const isGroup = random.below(3) > 0;
    rows.push(isGroup ? aGroupRow(id, parentId) : aProjectRow(id, parentId));
    tree[id] = `${tree[parentId] ?? ''} > ${id}`;
    if (isGroup) groups.push(id);
  }
  return { rows, tree };
}
