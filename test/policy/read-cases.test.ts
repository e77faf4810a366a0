import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { placesIn } from '../../src/policy/cases/json-places.js';
import { MAX_CASES_BYTES, readCases } from '../../src/policy/cases/read-cases.js';
import { RISKS, UNKNOWN_RISK } from '../../src/tools/index.js';

const documentOf = (...cases: readonly unknown[]): string => JSON.stringify({ cases });
const aCase = (more: object = {}): object => ({ name: 'a', expect: { verdict: 'DENY' }, ...more });

function read(document: string) {
  const answer = readCases(document);
  if ('problems' in answer) throw new Error(JSON.stringify(answer.problems));
  return answer.cases;
}
const problemsIn = (document: string): readonly (readonly [string, string, string | null])[] => {
  const answer = readCases(document);
  return 'cases' in answer ? [] : answer.problems.map(({ path, message, help }) => [path, message, help]);
};
const placed = (document: string): readonly unknown[] => {
  const answer = readCases(document);
  return 'cases' in answer ? [] : answer.problems.map(({ line, column }) => [line, column]);
};

describe('a case that says nothing of its call', () => {
  it('is about a known developer, who is there to ask, and reads outside production', () => {
    expect(read(documentOf(aCase()))).toEqual([
      {
        name: 'a',
        line: 1,
        beside: 'IN_FORCE',
        expect: { verdict: 'DENY', reasons: null, obligations: null, approval: null },
        call: {
          agent: { id: 'agent', isKnown: true, classes: [], trust: 100, autonomous: false, ownerId: null },
          user: { id: 'user', level: 30, teams: [] },
          project: { id: null, groups: [], dataClass: 0, isFrozen: false },
          tool: {
            ...{ id: 'example/tool', server: 'example', isKnown: true, isElsewhere: false },
            ...{ actionType: 'READ', risk: 1, definitionDigest: null, labels: [] },
          },
          arguments: {},
          sessionId: null,
          session: { labels: null, counts: null },
          circumstances: {
            ...{ environment: 'development', branch: null, isBranchProtected: false, surface: 'IDE', executionMode: 'INTERACTIVE' },
          },
          now: new Date('2026-01-07T12:00:00Z'),
          timeZone: 'UTC',
          approval: null,
          promises: [],
        },
      },
    ]);
  });

  it.each([
    ['an unknown tool', { tool: { known: false } }, { tool: { actionType: 'DESTROY', risk: UNKNOWN_RISK, server: null } }],
    ['a tool of elsewhere', { tool: { elsewhere: true } }, { tool: { isKnown: false, isElsewhere: true, risk: UNKNOWN_RISK } }],
    ['a tool that writes', { tool: { actionType: 'WRITE' } }, { tool: { risk: RISKS.WRITE } }],
    ['a tool that destroys', { tool: { actionType: 'DESTROY' } }, { tool: { risk: RISKS.DESTROY } }],
    ['a tool by its id', { tool: { id: 'com.example.git/push' } }, { tool: { server: 'com.example.git' } }],
    ['an unknown agent', { agent: { known: false } }, { agent: { trust: 0, autonomous: true } }],
    ['counts', { session: { counts: { denied: 3 } } }, { session: { counts: { allowed: 0, asked: 0, denied: 3, failed: 0 } } }],
    ['an approval by its role', { approval: { role: 'MAINTAINER' } }, { approval: { level: 40, count: 1 } }],
    ['an approval by its level', { approval: { level: 45, count: 2 } }, { approval: { level: 45, count: 2 } }],
    ['a zone in other letters', { timeZone: 'europe/berlin' }, { timeZone: 'Europe/Berlin' }],
    ['what the platform has not classified', { project: { dataClass: null } }, { project: { dataClass: null } }],
  ])('and %s: what follows from it', (_what, call, read_) => {
    expect(read(documentOf(aCase({ call })))[0]?.call).toMatchObject(read_);
  });
});

describe('a document that is not acceptable', () => {
  it('is told of with everything that is wrong, where it stands, and what would be right', () => {
    const document = `{ "cases": [
  { "name": "first", "call": { "agnet": {}, "tool": { "actoinType": "READ", "actionType": "WRIT", "risk": 9 } },
    "expect": { "verdict": "FORBID", "reasons": "x" }, "besides": 1 },
  { "name": "second", "expect": {} }, { "name": "second" } ] }`;

    expect(problemsIn(document)).toEqual([
      ['cases.0.call.agnet', 'cases.0.call.agnet is not known.', 'Did you mean “agent”?'],
      ['cases.0.call.tool.actoinType', 'cases.0.call.tool.actoinType is not known.', 'Did you mean “actionType”?'],
      ['cases.0.call.tool.actionType', 'cases.0.call.tool.actionType must be one of READ, WRITE, DESTROY.', 'Did you mean “WRITE”?'],
      ['cases.0.call.tool.risk', 'cases.0.call.tool.risk must be a whole number from 1 to 4.', null],
      ['cases.0.expect.verdict', 'cases.0.expect.verdict must be one of ALLOW, ASK, DENY.', null],
      ['cases.0.expect.reasons', 'cases.0.expect.reasons must be a list of texts.', null],
      ['cases.0.besides', 'cases.0.besides is not known.', 'Did you mean “beside”?'],
      ['cases.1.expect.verdict', 'cases.1.expect.verdict is missing.', null],
      ['cases.2.expect', 'cases.2.expect is missing.', null],
    ]);
    expect(placed(document)).toEqual([
      [2, 32],
      [2, 55],
      [2, 77],
      [2, 99],
      [3, 17],
      [3, 38],
      [3, 56],
      [4, 23],
      [4, 39],
    ]);
  });

  it.each([
    ['', [1, 1], /ends too early/],
    ['{"cases": [', [1, 12], /ends too early.*value is missing/],
    ['{"cases": [],}', [1, 14], /missing behind the comma/],
    ['{"cases": [] "x": 1}', [1, 14], /comma or “}” is missing/],
    ["{'cases': []}", [1, 2], /name of a member is missing/],
    ['{"cases" []}', [1, 10], /colon is missing/],
    ['{\n  "cases": [tru]\n}', [2, 13], /value is missing/],
    ['{"cases": ["a\n"]}', [1, 12], /does not end on its line/],
    ['{"cases": ["\\q"]}', [1, 12], /does not end on its line/],
    ['{"cases": []} {}', [1, 15], /follows the end/],
    [`{"cases": ${'['.repeat(100)}${']'.repeat(100)}}`, [1, 75], /deeper than 64/],
  ])('because it is no JSON: %j', (document, place, message) => {
    expect(placed(document)).toEqual([place]);
    expect(problemsIn(document)[0]?.[1]).toMatch(message);
  });

  it.each([
    ['is a list', '[]', ['', /document must be an object/]],
    ['has no cases', '{}', ['cases', /cases is missing/]],
    ['has two of one name', documentOf(aCase(), aCase()), ['cases.1.name', /name of another/]],
    ['says one thing twice', '{"cases": [], "cases": []}', ['cases', /is there twice/]],
    [
      'has a number that no double holds',
      '{"cases":[{"name":"a","call":{"arguments":{"account":9007199254740993}},"expect":{"verdict":"ASK"}}]}',
      ['cases.0.call.arguments.account', /hold exactly/],
    ],
    [
      'holds half a character',
      '{"cases":[{"name":"a","call":{"arguments":{"x":"\\ud800"}},"expect":{"verdict":"ASK"}}]}',
      ['cases.0.call.arguments.x', /well-formed/],
    ],
    [
      'has an approval without a role',
      documentOf(aCase({ call: { approval: {} } })),
      ['cases.0.call.approval', /either a role or a level/],
    ],
    [
      'has an approval with both',
      documentOf(aCase({ call: { approval: { role: 'OWNER', level: 50 } } })),
      ['cases.0.call.approval', /either/],
    ],
    ['has no such zone', documentOf(aCase({ call: { timeZone: 'Mars/Base' } })), ['cases.0.call.timeZone', /IANA/]],
    ['has no such time', documentOf(aCase({ call: { at: '2026-02-30T00:00:00Z' } })), ['cases.0.call.at', /RFC 3339/]],
    ['promises what is no obligation', documentOf(aCase({ call: { promises: ['Redact it'] } })), ['cases.0.call.promises.0', /obligation/]],
    ['has more than 500', documentOf(...Array.from({ length: 501 }, (_, n) => aCase({ name: `${n}` }))), ['cases', /at most 500/]],
  ] as const)('because it %s', (what, document, [path, message]) => {
    expect(problemsIn(document)).toEqual([
      [path, expect.stringMatching(message), path === 'cases' && what.includes('twice') ? expect.any(String) : null],
    ]);
  });

  it('because it is longer than 256 KiB by a byte, and is taken when it is not', () => {
    const around = documentOf(aCase({ call: { arguments: { text: '' } } }));
    const ofLength = (bytes: number): string => documentOf(aCase({ call: { arguments: { text: 'x'.repeat(bytes - around.length) } } }));

    expect(problemsIn(ofLength(MAX_CASES_BYTES))).toEqual([]);
    expect(problemsIn(ofLength(MAX_CASES_BYTES + 1))).toEqual([['', expect.stringContaining('262145 bytes'), null]]);
  });
});

describe('places in JSON', () => {
  it('are found in whatever JSON.parse takes, and in nothing else', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', '"', '\\', '0', 'e', '\n'), (json, at, inserted) => {
        const text = json.slice(0, at % (json.length + 1)) + inserted + json.slice(at % (json.length + 1));
        expect('index' in placesIn(text, 1_000)).toBe(!isJson(text));
      }),
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
