import { wasm as backend } from "@gradstep/wasm";
import type { Contender } from "./contender.js";
import { gradstepContender, ownMemory } from "./gradstep.js";

/** gradstep's SIMD code, with everything in its own memory. */
export const wasm: Contender = gradstepContender(
  "wasm",
  "gradstep in WebAssembly, one thread",
  () => ownMemory(backend()),
);
