/** Lets signals and timers through, which wait while a check awaits nothing but promises that are resolved. */
export class EventLoop {
  static readonly #interval = 50;
  #last = performance.now();

  /** Returns after other tasks, if the last time was more than 50 ms ago. */
  async yield(): Promise<void> {
    if (performance.now() - this.#last < EventLoop.#interval) return;
    await new Promise((done) => setTimeout(done));
    this.#last = performance.now();
  }
}
