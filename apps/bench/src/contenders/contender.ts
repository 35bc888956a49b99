import type { Data } from "../data.js";

/** One way to take Adam steps. A new one is a file beside this one and a line in the table. */
export interface Contender {
  readonly name: string;
  /** A few words for the legend. */
  readonly description: string;
  /** It takes no steps but does something to hold them against: its result is not judged. */
  readonly isYardstick?: boolean;
  /** Gets ready with parameters of its own; nothing of this is timed. */
  readonly start: (data: Data) => Promise<Entrant>;
}

/** A contender that is ready to step. */
export interface Entrant {
  /** Called before each of its turns, untimed: makes its backend the present one, say. */
  enter?(): Promise<void>;
  /** One step over all tensors, on the gradients of the next kind. */
  step(): void;
  /** Waits for the steps that `step` has only begun; timed, once for all steps of a turn. */
  settle?(): Promise<void>;
  /** The parameters as they are now, by tensor. */
  read(): Promise<readonly ArrayLike<number>[]>;
  /** Bytes that the optimizer holds from step to step, beside parameters and gradients. Asked after a step. */
  stateBytes(): Promise<number>;
  dispose(): void;
}
