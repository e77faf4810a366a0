/** A figure that is wanted and the one that was measured. */
export interface Bar {
  /** What is compared, with the direction: "…, at least" or "…, at most". */
  readonly what: string;
  readonly wanted: number;
  readonly got: number;
  readonly holds: boolean;
}

/** Numbers by name, the unit in the name; groups of them may nest. */
export interface Figures {
  readonly [name: string]: number | Figures;
}

/** What a benchmark says on standard output, as one line of JSON. */
export interface Report {
  readonly name: string;
  readonly figures: Figures;
  /** Measured in the same run, in turns with the figures: what the bars compare with. */
  readonly reference: Figures;
  readonly bars: readonly Bar[];
}

export const atLeast = (what: string, wanted: number, got: number): Bar => ({
  what: `${what}, at least`,
  wanted,
  got: rounded(got),
  holds: got >= wanted,
});

export const atMost = (what: string, wanted: number, got: number): Bar => ({
  what: `${what}, at most`,
  wanted,
  got: rounded(got),
  holds: got <= wanted,
});

/**
 * The smallest sample that at least `share` of all samples do not exceed (nearest rank).
 *
 * @param share above 0, at most 1
 * @throws Error when there is no sample
 */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((left, right) => left - right);
  const found = sorted[Math.ceil(share * sorted.length) - 1];
  if (found === undefined) throw new Error('There is no sample to take a percentile of.');
  return found;
}

/** The middle of the samples; of an even number the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  const upper = percentile(samples, 0.5 + 0.5 / samples.length);
  return samples.length % 2 === 1 ? upper : (percentile(samples, 0.5) + upper) / 2;
}

/**
 * How often `subject` is `reference`: the median over pairs that were measured one right after the other, so that a slow minute of
 * the machine slows both.
 */
export const pairedRatio = (subject: readonly number[], reference: readonly number[]): number =>
  median(subject.map((value, round) => value / (reference[round] ?? Number.NaN)));

/** Four significant digits: more would pretend a precision that no run has. */
export const rounded = (value: number): number => Number(value.toPrecision(4));

/** Every number of `figures`, rounded. */
export function roundedFigures(figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, typeof value === 'number' ? rounded(value) : roundedFigures(value)]),
  );
}

/** Prints the line that scripts read; on standard error what a person wants to know first. */
export function printReport(report: Report): void {
  for (const { what, wanted, got, holds } of report.bars) console.error(`${holds ? '✓' : '✗'} ${what} ${wanted}: ${got}`);
  console.log(JSON.stringify({ ...report, figures: roundedFigures(report.figures), reference: roundedFigures(report.reference) }));
}
