/** Tells the time; a parameter, so that tests own it. */
export type Clock = () => Date;
