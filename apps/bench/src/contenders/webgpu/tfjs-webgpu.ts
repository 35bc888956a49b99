import { gpuForTfjs } from "@gradstep/apps-shared/gpu";
import { tfOptimizer } from "@gradstep/tfjs";
import { rule } from "../../adam.js";
import { tfjsContender } from "../tfjs.js";
import type { Contender } from "../contender.js";

/** TF.js's own Adam on its webgpu backend. */
export const tfjsWebgpu: Contender = tfjsContender(
  "tfjs-webgpu",
  "TF.js 4.22, tf.train.adam, on WebGPU",
  "webgpu",
  { prepare: gpuForTfjs },
);

/** gradstep's Adam in place of TF.js's. */
export const tfjsFused: Contender = tfjsContender(
  "tfjs-fused",
  "the same with gradstep's optimizer, in TF.js's buffers",
  "webgpu",
  { prepare: gpuForTfjs, optimizer: () => tfOptimizer(rule) },
);
