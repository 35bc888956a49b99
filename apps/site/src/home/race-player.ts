/** A race takes this many seconds. */
const seconds = 5;
/** What is seen of a race that has ended, in seconds. */
const restSeconds = 3;

/** What a player shows, and what follows. */
interface PlayerEvents {
  readonly onSteps: (steps: number) => void;
  /** The race has been seen. */
  readonly onEnd: () => void;
}

/** Plays the steps of a race, frame by frame, while it is in sight and not paused. */
export class RacePlayer {
  readonly #steps: number;
  readonly #events: PlayerEvents;
  #elapsed = 0;
  #isPaused: boolean;
  #isInSight = false;
  #frame: number | undefined;

  constructor(steps: number, isPaused: boolean, events: PlayerEvents) {
    this.#steps = steps;
    this.#isPaused = isPaused;
    this.#events = events;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** What is over is played again. */
  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused;
    if (!isPaused && this.#elapsed >= seconds) this.#elapsed = 0;
    this.#run();
  }

  set isInSight(isInSight: boolean) {
    this.#isInSight = isInSight;
    this.#run();
  }

  /** Steps that are shown; between two steps while it plays. */
  get shownSteps(): number {
    return Math.min(this.#steps, (this.#elapsed / seconds) * this.#steps);
  }

  /** Begins another race; one that is paused is shown whole. */
  restart(): void {
    this.#elapsed = this.#isPaused ? seconds : 0;
    this.#events.onSteps(this.shownSteps);
    this.#run();
  }

  dispose(): void {
    this.isInSight = false;
  }

  #run(): void {
    if (this.#isPaused || !this.#isInSight) {
      if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
      this.#frame = undefined;
      return;
    }
    if (this.#frame !== undefined) return;
    let before: number | undefined;
    const advance = (now: number): void => {
      const isOver = this.#elapsed >= seconds;
      // After a pause of the browser, it goes on from where it was.
      this.#elapsed += before === undefined ? 0 : Math.min(0.1, (now - before) / 1000);
      before = now;
      if (this.#elapsed >= seconds + restSeconds) {
        this.#frame = undefined;
        this.#events.onEnd();
        return;
      }
      this.#frame = requestAnimationFrame(advance);
      if (!isOver) this.#events.onSteps(this.shownSteps);
    };
    this.#frame = requestAnimationFrame(advance);
  }
}
