import { tfOptimizer } from "@gradstep/tfjs";
import { rule } from "../../adam.js";
import { tfjsContender } from "../tfjs.js";
import type { Contender } from "../contender.js";

/** Registers TF.js's webgpu backend, with what it needs. */
type Prepare = () => Promise<unknown>;

/** TF.js's own Adam on its webgpu backend. */
export const tfjsWebgpu = (prepare: Prepare): Contender =>
  tfjsContender("tfjs-webgpu", "TF.js 4.22, tf.train.adam, on WebGPU", "webgpu", { prepare });

/** gradstep's Adam in place of TF.js's. */
export const tfjsFusedWebgpu = (prepare: Prepare): Contender =>
  tfjsContender("tfjs-fused", "the same with gradstep's optimizer, in TF.js's buffers", "webgpu", {
    prepare,
    optimizer: () => tfOptimizer(rule),
  });
