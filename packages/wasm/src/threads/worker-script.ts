import { memoryImport } from "../memory/batch-layout.js";
import type { WasmMemory } from "../webassembly-types.js";
import { controlWords } from "./control-block.js";

/**
 * Iterations for which a worker polls for the next batch before it sleeps: about 50 µs. If steps follow one another
 * immediately, no worker has to be woken. Otherwise each step costs the worker's core that much.
 */
const spinIterations = 10_000;

/** What a worker is given when it starts. */
export interface WorkerData {
  readonly memory: WasmMemory;
  /** Address of the control block. */
  readonly control: number;
  /** Index among the workers, from 0. */
  readonly index: number;
}

/**
 * The function that a worker runs, as text: a worker that starts from a string needs no file that a bundler or a server
 * must know.
 *
 * A kernel is identified by the address of its module in the shared memory, so that no message has to be sent: a
 * sleeping worker could not receive one.
 */
const work = `
function work({ memory, control, index }) {
  const words = new Int32Array(memory.buffer, control, ${controlWords.length});
  const kernels = new Map();
  Atomics.store(words, ${controlWords.started} + index, 1);
  for (;;) {
    const batch = Atomics.load(words, ${controlWords.batch});
    if (Atomics.load(words, ${controlWords.unclaimed}) > 0) {
      const kernel = Atomics.load(words, ${controlWords.kernel}) >>> 0;
      let claimChunks = kernels.get(kernel);
      if (!claimChunks) {
        const { buffer } = memory;
        const [length] = new Int32Array(buffer, kernel, 1);
        const module = new WebAssembly.Module(new Uint8Array(buffer, kernel + 4, length).slice());
        const imports = { ${memoryImport.module}: { ${memoryImport.name}: memory } };
        ({ claimChunks } = new WebAssembly.Instance(module, imports).exports);
        kernels.set(kernel, claimChunks);
      }
      claimChunks(control, kernel);
      for (let i = 0; i < ${spinIterations} && Atomics.load(words, ${controlWords.batch}) === batch; i += 1);
    }
    Atomics.wait(words, ${controlWords.batch}, batch);
  }
}`;

/**
 * The script of a Web Worker, for `wasm({ workerUrl })`: serve it as a file of the same version of this package. It
 * posts one message when it has loaded.
 */
export function workerScript(): string {
  return `${work}\nonmessage = ({ data }) => {\n  postMessage("loaded");\n  work(data);\n};\n`;
}

/** The script of a worker thread of Node. */
export function nodeWorkerScript(): string {
  return `${work}\nwork(require("node:worker_threads").workerData);`;
}
