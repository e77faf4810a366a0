import { describe, expect, it } from '@jest/globals';
import { nearestWord } from '../../src/policy/nearest-word.js';
import { SCHEMA } from '../../src/policy/index.js';
import { wasmParser } from '../../src/policy/wasm/parser.js';

const when = (condition: string): string => `forbid (principal, action, resource) when { ${condition} };`;

/** Each text with what is said of it: message, then help. */
const EXPLAINED: readonly (readonly [string, string, unknown])[] = [
  [when('principal.trus > 3'), 'principal has no attribute “trus”.', 'Did you mean “principal.trust”?'],
  [when('context.rloe > 3'), 'context has no attribute “rloe”.', 'Did you mean “context.role”?'],
  [when('context.local.hours > 3'), 'context.local has no attribute “hours”.', 'Did you mean “context.local.hour”?'],
  [when('principal.risk > 3'), 'principal has no attribute “risk”.', 'There is “resource.risk”.'],
  [when('principal.xyz > 3'), 'principal has no attribute “xyz”.', 'principal has: known, trust, autonomous, owner.'],
  [
    when('resource.project.class > 1'),
    'resource.project has no attribute “class”.',
    'resource.project has: dataClass, classified, frozen.',
  ],
  [
    when('context.branch == "main"'),
    '“context.branch” is not there for every call; to read it where it is not would be an error.',
    'Ask for it first: context has branch && context.branch ….',
  ],
  [
    when('resource.getTag("path") == "x"'),
    'Not every call has an argument "path"; to read it where it is not would be an error.',
    'Ask for it first: resource.hasTag("path") && resource.getTag("path") ….',
  ],
  [
    when('resource.numbers.getTag("n") > 1'),
    'Not every call has an argument "n"; to read it where it is not would be an error.',
    'Ask for it first: resource.numbers.hasTag("n") && resource.numbers.getTag("n") ….',
  ],
  [
    when('resource.hasTag("n") && resource.getTag("n") > 3'),
    '“resource.getTag("n")” is a text where a whole number must stand.',
    'An argument that is a number is read with resource.numbers.getTag("n").',
  ],
  [when('resource.risk > "3"'), '“"3"” is a text where a whole number must stand.', 'A whole number stands without quotes: 40.'],
  [
    when('context.now > 3'),
    '“context.now” is a point in time where a whole number must stand.',
    'A point in time is compared with another one: context.now >= datetime("2026-11-22").',
  ],
  [
    when('resource.risk'),
    '“resource.risk” is a whole number where true or false must stand.',
    'Say what it is compared with: resource.risk == ….',
  ],
  [
    when('resource.labels == "network"'),
    '“resource.labels == "network"” brings together a text and a set (of which each is a text), which are never alike.',
    'To ask whether a set holds something, write contains: resource.labels.contains("network").',
  ],
  [when('resource in Folder::"x"'), 'There is no type “Folder”.', expect.stringMatching(/^There are: Organization, Group, Project/)],
  [when('resource in Grup::"x"'), 'There is no type “Grup”.', 'Did you mean “Group”?'],
  [
    'permit (principal, action == Action::"delete", resource);',
    'There is no action Action::"delete".',
    'There is Action::"invokeTool": a call of a tool.',
  ],
  [
    'forbid (principal, action, resource == Tool::"a/b");',
    'This statement can never match: no call is what stands in its parentheses.',
    expect.stringMatching(/write “resource in”/),
  ],
  [
    'forbid (principal == User::"ada", action, resource);',
    'This statement can never match: no call is what stands in its parentheses.',
    expect.stringMatching(/The user is context\.user/),
  ],
  [when('false'), 'This statement can never match: its conditions are false for every call there can be.', expect.any(String)],
  ['permit (principal, action, resource)', 'The text ends in the middle of a statement.', expect.stringMatching(/semicolon/)],
  ['permt (principal, action, resource);', 'A statement cannot begin with “permt”.', 'It begins with permit or forbid.'],
  [when('context.role == 3 and true'), '“and” cannot stand here.', 'Cedar writes it &&.'],
  [when('context.role > 3.5'), '“5” cannot stand here.', expect.stringMatching(/Numbers are whole/)],
  [when('context.role > 30 && '), '“}” cannot stand here.', expect.stringMatching(/is something missing/)],
  ['permit (principal, action resource);', '“resource” cannot stand here.', expect.stringMatching(/^Here could stand:/)],
  [when('context.role = 3'), '“context.role = 3” compares nothing: a single = means nothing in Cedar.', 'Write == .'],
  [when('role > 3'), 'Nothing is called “role”.', 'Did you mean “context.role”?'],
  [when('contxt.role > 3'), 'Nothing is called “contxt”.', 'Did you mean “context”?'],
  [
    when('resource.getTag(path) == "x"'),
    'Nothing is called “path”.',
    'A policy speaks of principal, action, resource, context; a text stands in double quotes: "path".',
  ],
  [
    when("resource.actionType == 'READ'"),
    'A sign that Cedar does not know stands here.',
    'Strings must use double quotes, not single quotes.',
  ],
  [when('now() > 3'), 'There is no function “now”.', expect.stringMatching(/datetime/)],
  [when('context.now.hours() > 3'), 'There is no method “hours”.', 'Did you mean “toHours”?'],
  [when('resource.labels.has("x")'), '“has” is a word of Cedar’s own and no name.', expect.stringMatching(/contains/)],
  [when('"a" like resource.actionType'), 'Behind “like” must stand a pattern, not “resource.actionType”.', expect.any(String)],
  [when('datetime("abc") > context.now'), '“datetime("abc")” is not in the form that is asked for.', expect.stringMatching(/YYYY-MM-DD/)],
  [when('resource.labels == []'), 'The empty set [] cannot be written in a policy.', expect.stringMatching(/isEmpty/)],
];

describe('what is wrong with a text, in words for people', () => {
  it.each(EXPLAINED)('%s', async (text, message, help) => {
    const parsed = await wasmParser.parse(text, SCHEMA);

    expect('problems' in parsed && parsed.problems[0]).toMatchObject({ message, help, line: 1, column: expect.any(Number) });
  });
});

describe('nearestWord', () => {
  const known = ['trust', 'known', 'autonomous', 'owner'];

  it.each([
    ['trus', 'trust'],
    ['TRUST', 'trust'],
    ['rtust', 'trust'],
    ['onwer', 'owner'],
    ['autonomus', 'autonomous'],
    ['x', null],
    ['', null],
    ['clearance', null],
  ])('%s: %s', (word, nearest) => {
    expect(nearestWord(word, known)).toBe(nearest);
  });
});
