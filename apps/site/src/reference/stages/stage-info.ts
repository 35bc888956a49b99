import type { Source } from "../papers.js";
import type { StageCounterpart } from "./stage-counterpart.js";
import type { StageEffect } from "./stage-effect.js";

/** What a page says of a stage that the stage does not. */
export interface StageInfo {
  /** What it is for, in one line. */
  readonly summary: string;
  /** The first is the one it follows; none for what has no paper, such as clipping by value. */
  readonly sources: readonly Source[];
  /** What Keras, PyTorch, Optax and TensorFlow.js have. */
  readonly counterparts: readonly StageCounterpart[];
  /** What it does, computed by the stage. */
  readonly effect: () => StageEffect;
}
