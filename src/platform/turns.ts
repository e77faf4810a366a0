import { Failure } from '../kernel/index.js';

/** Lets in so many at once; the others wait, and go in the order in which they came. */
export class Turns {
  readonly #most: number;
  readonly #mostWaiting: number;
  readonly #refusal: string;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  /** @param refusal what those are told who come when `mostWaiting` wait already */
  constructor(most: number, mostWaiting: number, refusal: string) {
    this.#most = most;
    this.#mostWaiting = mostWaiting;
    this.#refusal = refusal;
  }

  /**
   * Does `work` when its turn has come.
   *
   * @param isLetIn whether it goes on with something that had a turn before: it waits, however many do.
   * @throws Failure OVERLOADED
   */
  async take<Result>(work: () => Promise<Result>, isLetIn = false): Promise<Result> {
    if (this.#taken < this.#most) this.#taken += 1;
    else if (!isLetIn && this.#waiting.length >= this.#mostWaiting) throw new Failure('OVERLOADED', this.#refusal);
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // A turn is handed on: nobody who comes meanwhile is before those who wait.
      if (next === undefined) this.#taken -= 1;
      else next();
    }
  }
}
