import type { OptimizerSpec } from "@gradstep/core";
import type { Data } from "../data.js";

/** The value that an element of a tensor should have. */
export type Expected = (tensor: number, element: number) => number;

/**
 * One way to make steps, of Adam if it does not say otherwise. To add one, write a module like those in this folder and list
 * it in `index.ts`.
 */
export interface Contender {
  readonly name: string;
  /** A few words for the legend. */
  readonly description: string;
  /** It makes no steps, but gives a time to compare with. Its result is not checked. */
  readonly isBaseline?: boolean;
  /** What it computes. Adam if left out. */
  readonly spec?: OptimizerSpec;
  /** The right parameters after the checked steps, if not those of `spec` with the gradients of the workload. */
  readonly expected?: (data: Data) => Expected | Promise<Expected>;
  /** Prepares everything with its own parameters. Not timed. */
  readonly start: (data: Data) => Promise<RunningContender>;
}

/** A contender that is ready to step. */
export interface RunningContender {
  /** Called before each of its turns, not timed: makes its backend the current one, for example. */
  activate?(): Promise<void>;
  /** One step over all tensors, on the gradients of the next kind. */
  step(): void;
  /** Waits for steps that run asynchronously. Timed, once per turn. */
  waitUntilDone?(): Promise<void>;
  /** The current parameters, by tensor. */
  read(): Promise<readonly ArrayLike<number>[]>;
  /** Bytes that the optimizer holds between steps, without parameters and gradients. Called after a step. */
  stateBytes(): Promise<number>;
  /** How many tensors of TF.js the optimizer keeps, if it works on these. */
  heldTensors?(): number;
  dispose(): void;
}
