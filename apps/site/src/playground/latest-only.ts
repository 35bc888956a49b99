/**
 * Runs an asynchronous task per key, one at a time. While one runs, only the last of those that come is kept: a slider
 * that moves asks for hundreds of paths, of which the last one counts.
 */
export class LatestOnly<K> {
  readonly #waiting = new Map<K, () => Promise<void>>();
  readonly #running = new Set<K>();

  run(key: K, task: () => Promise<void>): void {
    this.#waiting.set(key, task);
    if (!this.#running.has(key)) void this.#drain(key);
  }

  async #drain(key: K): Promise<void> {
    this.#running.add(key);
    try {
      for (;;) {
        const task = this.#waiting.get(key);
        if (task === undefined) return;
        this.#waiting.delete(key);
        await task();
      }
    } finally {
      this.#running.delete(key);
    }
  }
}
