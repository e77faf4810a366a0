import { nearestWord } from './nearest-word.js';
import { attributesAt, ENTITY_TYPES, placesOf, VARIABLES } from './schema-words.js';

/** A problem as Cedar's parser or validator tells it. */
export interface SaidProblem {
  readonly message: string;
  readonly help: string | null;
  /** What is said of the place, such as what was expected there. */
  readonly label: string | null;
  /** The words of the text that are at fault; empty for none. */
  readonly words: string;
}

/** The same for somebody who has never seen Cedar: what is wrong, and what would be right. */
export interface ExplainedProblem {
  readonly message: string;
  readonly help: string | null;
}

/** Says in plain words what Cedar says in its own. What is not known here is passed on as it was said. Pure. */
export function explainProblem(problem: SaidProblem): ExplainedProblem {
  const said = problem.message.replace(/^(?:for policy `\w+`, |failed to parse policies from string: )+/, '');
  for (const [pattern, explain] of EXPLANATIONS) {
    const match = pattern.exec(said);
    if (match !== null) return explain({ ...problem, message: said, words: shortened(problem.words) }, match.slice(1).map(shortened));
  }
  return { message: sentence(said), help: problem.help === null ? null : sentence(withoutPolicy(problem.help)) };
}

type Explain = (problem: SaidProblem, parts: readonly string[]) => ExplainedProblem;

const MAX_QUOTED_CHARACTERS = 120;
const shortened = (words: string | undefined): string =>
  words === undefined ? '' : words.length <= MAX_QUOTED_CHARACTERS ? words : `${words.slice(0, MAX_QUOTED_CHARACTERS)}…`;
const sentence = (words: string): string => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}${/[.?!]$/.test(words) ? '' : '.'}`;
const withoutPolicy = (words: string): string => words.replace(/for policy `\w+`, /, '');
const listed = (words: readonly string[]): string => words.join(', ');

/** What the words at fault read an attribute of: `principal.trus` of `principal`. */
const pathBefore = (words: string): readonly string[] => words.split('.').slice(0, -1);

const NO_ATTRIBUTE: Explain = ({ words, help }, [said = '']) => {
  // Of a member of a record, Cedar names the way to it as well.
  const name = said.slice(said.lastIndexOf('.') + 1);
  const path = pathBefore(words);
  const known = attributesAt(path);
  const owner = path.join('.');
  if (known === null)
    return {
      message: `“${words}” reads an attribute “${name}” that is not there.`,
      help: help === null ? null : sentence(help.replace(/`([^`]*)`/g, '“$1”')),
    };
  const meant = nearestWord(name, [...known.keys()]);
  const elsewhere = placesOf(name);
  const right =
    meant !== null
      ? `Did you mean “${owner}.${meant}”?`
      : elsewhere.length > 0
        ? `There is ${listed(elsewhere.map((place) => `“${place}”`))}.`
        : `${owner} has: ${listed([...known.keys()])}.`;
  return { message: `${owner} has no attribute “${name}”.`, help: right };
};

const UNKNOWN_WORD: Explain = (_problem, [word = '']) => {
  const places = placesOf(word);
  const meant = nearestWord(word, VARIABLES);
  const right =
    places.length > 0
      ? `Did you mean ${listed(places.map((place) => `“${place}”`))}?`
      : meant !== null
        ? `Did you mean “${meant}”?`
        : `A policy speaks of ${listed(VARIABLES)}; a text stands in double quotes: "${word}".`;
  return { message: `Nothing is called “${word}”.`, help: right };
};

const TYPE_NAMES: Readonly<Record<string, string>> = {
  Long: 'a whole number',
  String: 'a text',
  Bool: 'true or false',
  datetime: 'a point in time',
  duration: 'a span of time',
  decimal: 'a decimal',
  ipaddr: 'an IP address',
};
const typeName = (type: string): string => {
  if (TYPE_NAMES[type] !== undefined) return TYPE_NAMES[type];
  if (/AnyEntity|OpenRecord/.test(type)) return 'something with attributes';
  const element = /^Set<(.*)>$/.exec(type)?.[1];
  if (element !== undefined) return `a set (of which each is ${typeName(element)})`;
  return /^\w+$/.test(type) ? `${/^[AEIOU]/.test(type) ? 'an' : 'a'} ${type}` : type;
};

/** What usually was meant where one type stands in the place of another. */
function typeHelp(words: string, wanted: string, found: string): string | null {
  const tag = /^resource\.getTag\((.*)\)$/s.exec(words)?.[1];
  if (tag !== undefined && wanted === 'Long') return `An argument that is a number is read with resource.numbers.getTag(${tag}).`;
  if (tag !== undefined && wanted.startsWith('Set')) return `An argument that is a list is read with resource.lists.getTag(${tag}).`;
  if (tag !== undefined && wanted === 'Bool') return `An argument that is true or false is read with resource.flags.getTag(${tag}).`;
  if (wanted === 'Long' && found === 'String') return 'A whole number stands without quotes: 40.';
  if (wanted === 'String' && found === 'Long') return 'A text stands in double quotes: "40".';
  if (wanted === 'Long' && found === 'datetime')
    return 'A point in time is compared with another one: context.now >= datetime("2026-11-22").';
  if (wanted === 'Bool') return `Say what it is compared with: ${words} == ….`;
  return null;
}

const INCOMPATIBLE: Explain = ({ words, help }, [left = '', right = '']) => {
  const isSet = [left, right].some((type) => type.startsWith('Set'));
  const asked = /to a `==` expression/.test(help ?? '');
  return {
    message: `“${words}” brings together ${typeName(left)} and ${typeName(right)}, which are never alike.`,
    help:
      isSet && asked
        ? 'To ask whether a set holds something, write contains: resource.labels.contains("network").'
        : (typeHelp(words, left, right) ?? 'Both sides must be of one type.'),
  };
};

const UNEXPECTED_TYPE: Explain = ({ words }, [wanted = '', found = '']) => {
  const types = wanted.split(', or ').map((type) => type.trim());
  return {
    message: `“${words}” is ${typeName(found)} where ${types.map(typeName).join(' or ')} must stand.`,
    help: typeHelp(words, types[0] ?? '', found),
  };
};

const UNEXPECTED_TOKEN: Explain = ({ label }, [token = '']) => {
  const operator = { and: '&&', or: '||', not: '!', AND: '&&', OR: '||', NOT: '!' }[token];
  if (operator !== undefined) return { message: `“${token}” cannot stand here.`, help: `Cedar writes it ${operator}.` };
  if (/^\d/.test(token)) return { message: `“${token}” cannot stand here.`, help: 'Numbers are whole in Cedar: write 3 or 4, not 3.5.' };
  return { message: `“${token}” cannot stand here.`, help: label === null ? null : expected(label) };
};

/** A start of an expression is a long list of tokens to Cedar, and one thing to a person. */
function expected(label: string): string {
  if (/`!`.*`if`/.test(label)) return 'Here a condition or a value must follow: is something missing, or one sign too many?';
  if (/`&&`/.test(label)) return 'Conditions are joined by && or ||, and a statement’s clause ends with }.';
  return sentence(label.replace(/^expected /, 'here could stand: ').replaceAll('`', ''));
}

const EXPLANATIONS: readonly (readonly [RegExp, Explain])[] = [
  [/^attribute `(.+?)` (?:on entity type|in context).* not found$/, NO_ATTRIBUTE],
  [/^attribute `(.+?)` not found$/, NO_ATTRIBUTE],
  [
    /^unable to guarantee safety of access to optional attribute `(.+?)`/,
    ({ words }, [name = '']) => {
      const owner = pathBefore(words).join('.') || 'it';
      return {
        message: `“${words}” is not there for every call; to read it where it is not would be an error.`,
        help: `Ask for it first: ${owner} has ${name} && ${words} ….`,
      };
    },
  ],
  [
    /^unable to guarantee safety of access to tag `(.+?)`/,
    ({ words }, [tag = '']) => {
      const owner = words.slice(0, Math.max(0, words.lastIndexOf('.getTag')));
      return {
        message: `Not every call has an argument ${tag}; to read it where it is not would be an error.`,
        help: `Ask for it first: ${owner}.hasTag(${tag}) && ${words} ….`,
      };
    },
  ],
  [/^the types (.+) and (.+) are not compatible$/, INCOMPATIBLE],
  [/^unexpected type: expected (.+) but saw (.+)$/, UNEXPECTED_TYPE],
  [
    /^unrecognized entity type `(.+)`$/,
    (_problem, [type = '']) => {
      const meant = nearestWord(type, ENTITY_TYPES);
      return {
        message: `There is no type “${type}”.`,
        help: meant === null ? `There are: ${listed(ENTITY_TYPES)}.` : `Did you mean “${meant}”?`,
      };
    },
  ],
  [
    /^unrecognized action `(.+)`$/,
    (_problem, [action = '']) => ({ message: `There is no action ${action}.`, help: 'There is Action::"invokeTool": a call of a tool.' }),
  ],
  [
    /^unable to find an applicable action/,
    ({ words }) => ({
      message: 'This statement can never match: no call is what stands in its parentheses.',
      help: /resource\s*==/.test(words)
        ? 'The resource is one call, which lies in its tool, server, project and groups: write “resource in”, not “resource ==”.'
        : 'The principal is an agent, or in an AgentClass; the resource is in a Project, Group, Organization, Tool, Server or ToolLabel. The user is context.user.',
    }),
  ],
  [
    /^policy is impossible/,
    () => ({
      message: 'This statement can never match: its conditions are false for every call there can be.',
      help: 'Look for a condition that contradicts another one, or that is never true.',
    }),
  ],
  [
    /BIDI control characters/,
    () => ({
      message: 'The text holds characters that turn the direction of a line, so that it reads as another one than it is.',
      help: 'Take the bidirectional control characters out.',
    }),
  ],
  [
    /^unexpected end of input$/,
    () => ({
      message: 'The text ends in the middle of a statement.',
      help: 'Every permit and forbid ends with a semicolon; look for a missing ), } or ; .',
    }),
  ],
  [/^unexpected token `(.*)`$/s, UNEXPECTED_TOKEN],
  [
    /^invalid policy effect: (.+)$/,
    (_problem, [word = '']) => ({ message: `A statement cannot begin with “${word}”.`, help: 'It begins with permit or forbid.' }),
  ],
  [
    /^'=' is not a valid operator/,
    ({ words }) => ({ message: `“${words}” compares nothing: a single = means nothing in Cedar.`, help: 'Write == .' }),
  ],
  [
    /^`(.+)` is not a valid function$/,
    (_problem, [name = '']) => ({
      message: `There is no function “${name}”.`,
      help: 'There are datetime, duration, decimal and ip: datetime("2026-11-22").',
    }),
  ],
  [
    /^`(.+)` is not a valid method$/,
    (_problem, [name = '']) => {
      const meant = nearestWord(name, METHODS);
      return {
        message: `There is no method “${name}”.`,
        help: meant === null ? `There are: ${listed(METHODS)}.` : `Did you mean “${meant}”?`,
      };
    },
  ],
  [/^invalid variable: (.+)$/, UNKNOWN_WORD],
  [/^invalid member access `.+`, `(.+?)` has no fields or methods$/, UNKNOWN_WORD],
  [/^invalid token$/, ({ help }) => ({ message: 'A sign that Cedar does not know stands here.', help: sentence(help ?? 'take it away') })],
  [
    /^this identifier is reserved and cannot be used: (.+)$/,
    (_problem, [word = '']) => ({
      message: `“${word}” is a word of Cedar’s own and no name.`,
      help: word === 'has' ? 'Write “context has branch”, without a dot; of a set, ask contains.' : null,
    }),
  ],
  [
    /^duplicate annotation: (.+)$/,
    (_problem, [name = '']) => ({ message: `The annotation ${name} stands there twice.`, help: 'Take one away.' }),
  ],
  [
    /^right hand side of a `like` expression must be a pattern literal/,
    ({ words }) => ({
      message: `Behind “like” must stand a pattern, not “${words}”.`,
      help: 'Write it in double quotes, with * for whatever comes: like "/etc/*".',
    }),
  ],
  [
    /^empty set literals are forbidden/,
    () => ({
      message: 'The empty set [] cannot be written in a policy.',
      help: 'To ask whether a set is empty, write isEmpty: resource.labels.isEmpty().',
    }),
  ],
  [
    /^error during extension function argument validation: (.+)$/,
    ({ words, help }) => ({
      message: `“${words}” is not in the form that is asked for.`,
      help: help === null ? null : sentence(help.replaceAll('`', '')),
    }),
  ],
];

const METHODS = [
  ...['contains', 'containsAll', 'containsAny', 'isEmpty', 'hasTag', 'getTag'],
  ...['offset', 'durationSince', 'toDate', 'toTime', 'toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'],
  ...['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'],
  ...['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast', 'isInRange'],
];
