// The borders of the house (docs/adr and the README's map): who may import what, and why. `npm run borders` checks
// them; test/borders.test.ts proves that every rule bites. A new room is entered in `doors` before it has code.

/** Which rooms each room opens. Whatever is not here stays shut. */
const doors = {
  directory: [],
  audit: ['directory'],
  log: ['audit'],
  policy: ['directory', 'audit', 'cedar'],
  tools: ['directory', 'audit'],
  oversight: ['directory', 'audit'],
  decisions: ['directory', 'audit', 'policy', 'tools', 'oversight'],
  feed: ['directory', 'audit', 'log'],
};

const rooms = Object.keys(doors);
const anyRoom = `(?:${rooms.join('|')})`;
const adapterKind = (kind) => `^src/${anyRoom}/(?:${kind})(?:\\.ts$|/)`;
const kinds = 'graphql|rest|postgres|redis|wasm|thread';
const adapters = adapterKind(kinds);

/** A path inside src/ that is one of these. */
const inSrc = (...places) => places.map((place) => `^src/${place}`);
const npm = (...names) => names.map((name) => `^node_modules/${name}/`);
const crypto = '^(?:node:)?crypto$';

/** Rules for one kind of file: it may import what is listed, and nothing else. */
function only({ name, comment, from, fromNot, may }) {
  return { name, severity: 'error', comment, from: { path: from, ...(fromNot ? { pathNot: fromNot } : {}) }, to: { pathNot: may } };
}

const everyDoor = inSrc(`(?:${anyRoom}|kernel|cedar)/index\\.ts$`);
const anyCoreFile = `^src/${anyRoom}/`;

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment:
        'Two files that need each other are one file, or miss a third. Cycles between folders are where houses of this kind decay first.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      comment: 'An import that cannot be found escapes every other rule.',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'known-places-only',
      severity: 'error',
      comment: 'A folder that the table of doors does not name has no borders yet: enter it there first.',
      from: {
        path: '^src/',
        pathNot: inSrc(`${anyRoom}/`, 'kernel/', 'cedar/', 'platform/', 'generated/', 'cli/', '(?:app|services|main|config)\\.ts$'),
      },
      to: {},
    },
    {
      name: 'product-does-not-know-its-surroundings',
      severity: 'error',
      comment: 'src/ is shipped alone: tests, benchmarks, scripts and the local platform are not there in production.',
      from: { path: '^src/' },
      to: { path: '^(?:test|local|bench|scripts)/' },
    },
    {
      name: 'product-needs-no-dev-dependency',
      severity: 'error',
      comment: 'An installation without development dependencies must run.',
      from: { path: '^src/', pathNot: '^src/generated/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-main-and-cli-start-the-app',
      severity: 'error',
      comment: 'app.ts and services.ts know everyone, so nobody whom they know may know them.',
      from: { path: '^src/', pathNot: inSrc('main\\.ts$', 'cli/', '(?:app|services)\\.ts$') },
      to: { path: inSrc('(?:app|services|main)\\.ts$', 'cli/') },
    },
    only({
      name: 'kernel-stands-alone',
      comment: 'Every room shares the kernel: what it needs, everybody needs. Words and pure functions only.',
      from: '^src/kernel/',
      may: [...inSrc('kernel/'), crypto],
    }),
    only({
      name: 'cedar-stands-alone',
      comment: 'A library that knows nothing of agents, so that it can be proved equal to Cedar on its own.',
      from: '^src/cedar/',
      may: [...inSrc('cedar/'), crypto],
    }),
    {
      name: 'config-reads-the-environment-only',
      severity: 'error',
      comment: 'Config is one typed value that everybody may hold; it must not pull anybody in.',
      from: { path: '^src/config\\.ts$' },
      to: { pathNot: [...inSrc('kernel/'), ...npm('zod')], dependencyTypesNot: ['core'] },
    },
    {
      name: 'config-is-handed-in',
      severity: 'error',
      comment: 'app.ts hands each part what it needs of the configuration; only platform may name its types.',
      from: { path: '^src/', pathNot: inSrc('(?:app|services|main)\\.ts$', 'cli/') },
      to: { path: '^src/config\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'platform-knows-no-room',
      severity: 'error',
      comment: 'Machinery under the adapters: it would fit another product as it is.',
      from: { path: '^src/platform/' },
      to: { path: inSrc(`${anyRoom}/`, 'cedar/') },
    },
    {
      name: 'rooms-have-doors',
      severity: 'error',
      comment: 'What index.ts names is what a room promises to others; everything behind it may change on any day.',
      from: { path: '^src/([^/]+)/', pathNot: '^src/cli/' },
      to: { path: inSrc(`(?:${anyRoom}|kernel|cedar)/`), pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    ...Object.entries(doors).map(([room, opened]) => ({
      name: `${room}-opens-${opened.length === 0 ? 'no-room' : opened.join('-')}`,
      severity: 'error',
      comment: `The table of doors: ${room} opens ${opened.length === 0 ? 'no other room' : opened.join(', ')}. Who needs another one takes a port, and services.ts connects the two.`,
      from: { path: `^src/${room}/` },
      to: { path: inSrc(`(?:${[...rooms, 'cedar'].join('|')})/`), pathNot: inSrc(`(?:${[room, ...opened].join('|')})/`) },
    })),
    {
      name: 'core-does-not-know-its-adapters',
      severity: 'error',
      comment: 'Rules and use cases speak of ports in their own words; index.ts is core too. services.ts puts adapters behind the ports.',
      from: { path: anyCoreFile, pathNot: adapters },
      to: { path: adapters },
    },
    {
      name: 'core-does-not-know-the-machinery',
      severity: 'error',
      comment: 'A rule that knows Postgres, GraphQL or HTTP can no longer be tested as data in, data out.',
      from: { path: anyCoreFile, pathNot: adapters },
      to: { path: inSrc('platform/', 'generated/') },
    },
    only({
      name: 'core-needs-little',
      comment:
        'Core files import the kernel, their own room, open doors, node:crypto, zod and diff, which is data in, data out. Anything else comes in through a port.',
      from: anyCoreFile,
      fromNot: adapters,
      may: [...inSrc(''), crypto, ...npm('zod', 'diff')],
    }),
    {
      name: 'adapters-do-not-know-each-other',
      severity: 'error',
      comment: 'Two adapters of a room share core, not code: each can be thrown away alone.',
      from: { path: `^src/(${anyRoom})/(${kinds})(?:\\.ts$|/)` },
      to: { path: adapters, pathNot: '^src/$1/$2(?:\\.ts$|/)' },
    },
    only({
      name: 'graphql-and-rest-speak-to-callers',
      comment: 'They parse input, call one use case and present the outcome; what stores or signals is behind a port.',
      from: adapterKind('graphql|rest'),
      may: [
        ...everyDoor,
        anyCoreFile,
        ...inSrc('generated/graphql\\.ts$', 'platform/(?:graphql|http)-'),
        crypto,
        ...npm('zod', 'dataloader', 'graphql'),
      ],
    }),
    {
      name: 'resolver-types-are-types',
      severity: 'error',
      comment: 'generated/graphql.ts is a contract for the compiler; nothing of it exists when the product runs.',
      from: { path: '^src/', pathNot: '^src/generated/' },
      to: { path: '^src/generated/graphql\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    only({
      name: 'postgres-speaks-to-postgres',
      comment: 'One adapter over one transaction, through the connection that platform/postgres hands out.',
      from: adapterKind('postgres'),
      may: [...everyDoor, anyCoreFile, ...inSrc('generated/prisma/', 'platform/postgres'), crypto, ...npm('zod')],
    }),
    only({
      name: 'redis-speaks-to-redis',
      comment: 'Signals and caches: it holds no fact, so it needs nothing that holds facts.',
      from: adapterKind('redis'),
      may: [...everyDoor, anyCoreFile, ...inSrc('platform/redis'), crypto, ...npm('zod', 'ioredis')],
    }),
    only({
      name: 'wasm-speaks-to-cedar-wasm',
      comment:
        'cedar-wasm behind a port of the policies, so that it stays off the decision path and can be replaced; also as what runs in a thread.',
      from: adapterKind('wasm'),
      may: [...everyDoor, anyCoreFile, ...inSrc('platform/(?:cedar-wasm|worker-thread)'), crypto, ...npm('zod')],
    }),
    only({
      name: 'thread-runs-the-core-elsewhere',
      comment: 'What takes seconds runs beside everything else: the same core, in a thread that is given what it needs.',
      from: adapterKind('thread'),
      may: [...everyDoor, anyCoreFile, ...inSrc('platform/worker-thread'), crypto, ...npm('zod')],
    }),
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^src/generated/'] },
    // Imports of types are borders too.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.cjs'],
    },
    reporterOptions: { text: { highlightFocused: true } },
  },
};
