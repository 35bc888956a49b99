import { wasm as backend } from "@gradstep/wasm";
import type { Contender } from "./contender.js";
import { gradstepContender, ownMemory } from "./gradstep.js";

/** The same on two threads, where it pays. */
export const wasmThreads: Contender = gradstepContender(
  "wasm-2",
  "the same on two threads, where it pays",
  async () => {
    const threaded = backend({ threads: 2 });
    await threaded.ready();
    return ownMemory(threaded);
  },
);
