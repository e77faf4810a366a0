import { cursorOf, keyIn } from '../kernel/index.js';

const KIND = 'feed';
const isPosition = (text: string): boolean => /^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text));

/** An opaque cursor behind which the entry at `position` comes next. */
export const feedCursor = (position: number): string => cursorOf(KIND, String(position));

/**
 * The position that comes next behind a cursor.
 *
 * @throws Failure BAD_USER_INPUT when it is no cursor of a feed.
 */
export const positionBehind = (cursor: string): number => Number(keyIn(KIND, cursor, isPosition));
