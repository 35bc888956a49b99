import type { Turns } from "@gradstep/digits/training";

/** Lets a training go on, batch by batch. It is open when it is made. */
export class TrainingGate implements Turns {
  /** Called when the training has reached a closed gate. */
  onPause: (() => void) | undefined;
  /** Batches until the gate closes. */
  #remaining = Infinity;
  #wake: (() => void) | undefined;

  /** Whether the training waits at the gate. */
  get isPaused(): boolean {
    return this.#wake !== undefined;
  }

  async take(): Promise<void> {
    if (this.#remaining === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.onPause?.();
      });
    }
    this.#remaining -= 1;
  }

  pass(): void {
    // A training has its gate to itself.
  }

  /** The training pauses before its next batch. */
  close(): void {
    this.#remaining = 0;
  }

  /** The training goes on, for that number of batches. */
  open(batches = Infinity): void {
    this.#remaining = batches;
    this.#wake?.();
    this.#wake = undefined;
  }
}
