/** A line on a terminal that shows the progress of a command. Writes nothing if there is no terminal. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #hasLine = false;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  /** Replaces the line. */
  show(text: string): void {
    if (!this.#stream.isTTY) return;
    const cut = text.slice(0, Math.max(10, (this.#stream.columns ?? 80) - 1));
    this.#stream.write(`\r\u001B[2K${cut}`);
    this.#hasLine = true;
  }

  /** Removes the line. */
  clear(): void {
    if (this.#hasLine) this.#stream.write("\r\u001B[2K");
    this.#hasLine = false;
  }
}
