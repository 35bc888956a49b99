import { createOptimizer, type Optimizer, type Tensor } from "@gradstep/core";
import { oracle } from "@gradstep/core/reference";
import { cpuJs } from "@gradstep/cpu-js";
import type { KerasCheckpoint, KerasCheckpointSource } from "../src/index.js";
import type { FloatType } from "./fixtures.js";

/** An optimizer that continues a checkpoint, and its tensors. */
export interface Resumed {
  readonly optimizer: Optimizer<string>;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** Continues a checkpoint of Keras: in f32 on cpu-js, in f64 on the oracle. */
export function resume(
  { spec, parameters, state }: KerasCheckpoint,
  floatType: FloatType,
): Resumed {
  const backend = floatType === "float32" ? cpuJs() : oracle();
  const tensors = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, values }]): [string, Tensor] => [
      name,
      backend.tensor(shape, values as Float32Array),
    ]),
  );
  const optimizer = createOptimizer(spec, tensors);
  optimizer.restore(state);
  return { optimizer, tensors };
}

/** What `writeKeras` takes. */
export async function checkpointOf({
  optimizer,
  tensors,
}: Resumed): Promise<KerasCheckpointSource> {
  const parameters = Object.entries(tensors).map(async ([name, tensor]) => [
    name,
    { shape: tensor.shape, values: await tensor.read() },
  ]);
  return {
    config: optimizer.config(),
    state: await optimizer.state(),
    parameters: Object.fromEntries(await Promise.all(parameters)),
  };
}
