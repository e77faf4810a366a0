import { assignmentsIn, mayAssign } from './assignments.js';
import { formatsIn, formatTrigger } from './formats.js';
import { hasNeedle } from './needles.js';
import { mayHavePlaces, placesIn } from './places.js';
import type { KnownSecrets, SecretScanner, SecretSpan } from './spans.js';

/** Shorter than `pwd=abc1`, nothing can be told from other words. */
const SHORTEST = 8;

const NOTHING: readonly SecretSpan[] = [];

/**
 * All of our rules and those of a library. Nearly every text is clean, so a few searches first tell whether the rules need to
 * look at all: they let through more than the rules would find, never less.
 */
export function secretScanner(known: KnownSecrets): SecretScanner {
  const mayHaveFormat = formatTrigger(known.leads);
  return (text) => {
    if (text.length < SHORTEST) return NOTHING;
    const view = text.includes('\\') ? unescaped(text) : text;
    const isSuspect = hasNeedle(view);
    const hasFormats = isSuspect && mayHaveFormat(view);
    const hasAssignments = isSuspect && mayAssign(view);
    const hasPlaces = mayHavePlaces(view, isSuspect);
    if (!hasFormats && !hasAssignments && !hasPlaces) return NOTHING;
    return [
      ...(hasFormats ? [...known.scan(view), ...formatsIn(view)] : NOTHING),
      ...(hasAssignments ? assignmentsIn(view) : NOTHING),
      ...(hasPlaces ? placesIn(view) : NOTHING),
    ];
  };
}

const LINE_BREAKS = /(?<!\\)(?:\\{1,8}[nr])+/g;
const SPACES = /(?<!\\)(?:\\{1,8}[tbf])+/g;
const UNICODE = /(?<!\\)\\{1,8}u00[0-7][0-9a-fA-F]/g;

/**
 * The text as JSON in a string means it, each character still at its place: in `\nghp_…` the token does not begin with an n.
 * Quotes keep their backslashes, which tell the inner ones from the outer ones.
 */
const unescaped = (text: string): string =>
  text
    .replaceAll(LINE_BREAKS, (escapes) => '\n'.repeat(escapes.length))
    .replaceAll(SPACES, (escapes) => ' '.repeat(escapes.length))
    .replaceAll(UNICODE, (escape) => {
      const character = String.fromCharCode(parseInt(escape.slice(-2), 16));
      return (character === '"' || character === "'" ? '\\' : ' ').repeat(escape.length - 1) + character;
    });
