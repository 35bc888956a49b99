import "@tensorflow/tfjs-backend-wasm";
import type { Contender } from "./contender.js";
import { tfjsContender } from "./tfjs.js";

/** TF.js's WebAssembly, which in Node has SIMD and one thread. */
export const tfjsWasm: Contender = tfjsContender("tfjs-wasm", "the same in WebAssembly", "wasm");
