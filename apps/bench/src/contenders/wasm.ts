import { wasm as backend } from "@gradstep/wasm";
import type { Contender } from "./contender.js";
import { gradstepContender, inBackendMemory } from "./gradstep.js";

/** gradstep in WebAssembly, with all tensors in its memory. */
export const wasm: Contender = gradstepContender(
  "wasm",
  "gradstep in WebAssembly, one thread",
  () => inBackendMemory(backend()),
);
