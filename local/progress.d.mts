/** Runs `work`. Once it has taken two seconds, shows `title` and the seconds elapsed until it has ended. */
export function withProgress<T>(title: string, work: (report: (detail: string) => void) => Promise<T>): Promise<T>;

/** Prints a line on stderr without tearing the line that shows the progress. */
export function say(line: string): void;
