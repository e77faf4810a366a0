/** What one text may cost, all that is proven of it together: a step takes some microseconds, all of them some tens of milliseconds. */
export const MAX_STEPS = 10_000;

/** How much may still be looked at. */
export class Steps {
  readonly #most: number;
  #spent = 0;

  constructor(most: number = MAX_STEPS) {
    this.#most = most;
  }

  get spent(): number {
    return this.#spent;
  }

  /** Whether there were so many left. When there were not, there are none any more. */
  take(count: number): boolean {
    const isLeft = this.#spent + count <= this.#most;
    this.#spent = isLeft ? this.#spent + count : this.#most;
    return isLeft;
  }
}
