/** Tells the time; a parameter, so that tests own it. */
export type Clock = () => Date;

/**
 * Whether less than `milliseconds` have passed between two moments, in milliseconds since 1970. Not when the clock was set back in
 * between: then nobody knows how much has.
 */
export const hasJustBeen = (then: number, now: number, milliseconds: number): boolean => now >= then && now - then < milliseconds;
