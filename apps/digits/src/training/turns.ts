/** When a training may go on: it takes a turn for each batch. */
export interface Turns {
  /** Resolves when the caller has the turn. */
  take(): Promise<void>;
  /** Ends the caller's turn. */
  pass(): void;
}

/** Lets trainings take turns: only one of them has the turn, and it passes in the order of the requests. */
export class TurnQueue implements Turns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  async take(): Promise<void> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
  }

  pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isTaken = false;
    else next();
  }
}
