import { wasm as backend } from "@gradstep/wasm";
import type { Contender } from "./contender.js";
import { gradstepContender, inBackendMemory } from "./gradstep.js";

/** The same with two threads. */
export const wasmThreads: Contender = gradstepContender(
  "wasm-2",
  "the same with two threads, used where that is faster",
  async () => {
    const threaded = backend({ threads: 2 });
    await threaded.ready();
    return inBackendMemory(threaded);
  },
);
