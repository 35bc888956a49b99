import "@tensorflow/tfjs-backend-wasm";
import type { Contender } from "./contender.js";
import { tfOptimizer } from "@gradstep/tfjs";
import { rule } from "../adam.js";
import { tfjsContender } from "./tfjs.js";

/** TF.js's own Adam in WebAssembly, which has SIMD and one thread in Node. */
export const tfjsWasm: Contender = tfjsContender("tfjs-wasm", "the same in WebAssembly", "wasm");

/** gradstep's Adam in place of TF.js's. */
export const tfjsFused: Contender = tfjsContender(
  "tfjs-fused",
  "the same with gradstep's optimizer, in TF.js's heap",
  "wasm",
  { optimizer: () => tfOptimizer(rule) },
);
