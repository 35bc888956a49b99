import type { OptimizerSpec, Schedule } from "@gradstep/core";
import { fromKeras, fromTorch } from "@gradstep/core/interop";

/** A schedule of another library, and the same here. The learning rate is 0.001. */
export interface ScheduleCounterpart {
  readonly library: "keras" | "torch" | "optax";
  /** The call there, with the library's defaults where it has some. */
  readonly there: string;
  readonly here: Schedule;
  /** The schedule that gradstep reads from the library's own configuration; undefined if it reads none. */
  readonly read?: () => Schedule;
  /** Where the two differ. */
  readonly difference?: string;
}

/** The learning rate of all counterparts. */
export const rate = 0.001;

const ofSpec = ({ hyperparameters }: OptimizerSpec): Schedule =>
  hyperparameters.learningRate as Schedule;

/** A schedule of Keras. */
export const keras = (name: string, config: Readonly<Record<string, unknown>>) => (): Schedule =>
  ofSpec(
    fromKeras({
      class_name: "SGD",
      config: { learning_rate: { class_name: name, config } },
    }),
  );

/** A scheduler of PyTorch. */
export const torch = (name: string, settings: Readonly<Record<string, unknown>>) => (): Schedule =>
  ofSpec(fromTorch("SGD", { lr: rate }, { scheduler: { name, ...settings } }));
