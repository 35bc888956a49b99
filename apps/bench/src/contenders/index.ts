import type { Contender } from "./contender.js";
import { cpuJsExact } from "./cpu-js-exact.js";
import { cpuJs } from "./cpu-js.js";
import { handFolded } from "./hand-folded.js";
import { hand } from "./hand.js";
import { tfjsCpu } from "./tfjs-cpu.js";
import { tfjsFused, tfjsWasm } from "./tfjs-wasm.js";
import { wasm } from "./wasm.js";
import { wasmThreads } from "./wasm-threads.js";

/** All contenders on the CPU, in the order of their turns. */
export const contenders: readonly Contender[] = [
  hand,
  handFolded,
  cpuJs,
  cpuJsExact,
  wasm,
  wasmThreads,
  tfjsCpu,
  tfjsWasm,
  tfjsFused,
];
