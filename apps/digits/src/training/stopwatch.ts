/** Measures time while it runs. */
export class Stopwatch {
  #seconds = 0;
  #start: number | undefined;

  /** Seconds that it has run. */
  get seconds(): number {
    const running = this.#start === undefined ? 0 : (performance.now() - this.#start) / 1000;
    return this.#seconds + running;
  }

  /** Sets the seconds that it has run, and stops it. */
  setTo(seconds: number): void {
    this.#seconds = seconds;
    this.#start = undefined;
  }

  start(): void {
    this.#start ??= performance.now();
  }

  stop(): void {
    this.#seconds = this.seconds;
    this.#start = undefined;
  }
}
