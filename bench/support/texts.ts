import { evenly, pick, type Random } from './random.js';

const WORDS = (
  'the pipeline fails in stage deploy because a variable is missing from project settings and review of merge request needs new test ' +
  'for service object that reads user data before it writes change to database table with index on column name so we should move check ' +
  'into method then run linter again open file look at line where error was raised add guard return early when value is empty update spec'
).split(' ');

const join = (random: Random, characters: number, between: string): string => {
  const words: string[] = [];
  for (let length = 0; length < characters; length += words.at(-1)?.length ?? 1) words.push(pick(WORDS, random));
  return words.join(between);
};

/** `words` words. */
export const aSentence = (random: Random, words: number): string => Array.from({ length: words }, () => pick(WORDS, random)).join(' ');

/** Text of about `characters`, more or less by half: what people, models and tools say. */
export const someText = (random: Random, characters: number): string => join(random, characters * (0.4 + random()), ' ');

/** Source code with its quotes and line ends, which JSON escapes. */
export const aDiff = (random: Random): string =>
  Array.from(
    { length: 2 + evenly(random, 6) },
    () => `  ${pick(['+', '-', ' '], random)} ${join(random, 30, '_')}("${pick(WORDS, random)}")`,
  ).join('\n');
