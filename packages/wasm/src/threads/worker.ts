import type { Worker } from "node:worker_threads";
import { meeting } from "./control-block.js";

/** Positions in the meeting place, counted in words. */
export const words = {
  unclaimed: meeting.unclaimed / 4,
  kernel: meeting.kernel / 4,
  chunksEnd: meeting.chunksEnd / 4,
  undone: meeting.undone / 4,
  batch: meeting.batch / 4,
  arrived: meeting.arrived / 4,
  length: meeting.byteLength / 4,
} as const;

/**
 * Looks for the next batch before going to sleep, some 50 µs: where steps follow one another, nobody has to be woken.
 * Where they do not, it is that much of a core once a step.
 */
const spins = 10_000;

/**
 * What a worker runs, as text: started from a string it needs no file that a bundler or a server would have to know.
 *
 * It is given the shared memory and the address of the meeting place, and sleeps until the count of batches changes. A
 * kernel's number is the address of its module in the memory, so that nothing ever has to be sent to a worker: one that
 * is asleep could not receive it.
 */
const body = `
function work({ memory, at, index }) {
  const words = new Int32Array(memory.buffer, at, ${words.length});
  const kernels = new Map();
  Atomics.store(words, ${words.arrived} + index, 1);
  for (;;) {
    const batch = Atomics.load(words, ${words.batch});
    if (Atomics.load(words, ${words.unclaimed}) > 0) {
      const kernel = Atomics.load(words, ${words.kernel}) >>> 0;
      let share = kernels.get(kernel);
      if (!share) {
        const { buffer } = memory;
        const [length] = new Int32Array(buffer, kernel, 1);
        const module = new WebAssembly.Module(new Uint8Array(buffer, kernel + 4, length).slice());
        share = new WebAssembly.Instance(module, { gradstep: { memory } }).exports.share;
        kernels.set(kernel, share);
      }
      share(at, kernel);
      for (let i = 0; i < ${spins} && Atomics.load(words, ${words.batch}) === batch; i += 1);
    }
    Atomics.wait(words, ${words.batch}, batch);
  }
}`;

/** What a worker is given. */
export interface WorkerData {
  readonly memory: WebAssembly.Memory;
  readonly at: number;
  readonly index: number;
}

/** The script of a worker in a browser, for `wasm({ workerUrl })`. */
export function workerScript(): string {
  return `${body}\nonmessage = ({ data }) => work(data);\n`;
}

/** A running worker, of Node or of a browser. */
export interface Thread {
  terminate(): unknown;
}

type NodeWorkers = { readonly Worker: typeof Worker };
type BrowserWorker = {
  onerror: ((event: { message?: string }) => void) | null;
  postMessage(data: unknown): void;
  terminate(): void;
};

interface Host {
  readonly process?: { getBuiltinModule?(name: string): unknown };
  readonly Worker?: new (url: string | URL) => BrowserWorker;
  readonly URL: { createObjectURL(blob: unknown): string; revokeObjectURL(url: string): void };
  readonly Blob: new (parts: readonly string[], options: { type: string }) => unknown;
  readonly crossOriginIsolated?: boolean;
  readonly SharedArrayBuffer?: unknown;
  readonly window?: unknown;
}

const host = globalThis as unknown as Host;

function nodeWorkers(): NodeWorkers | undefined {
  return host.process?.getBuiltinModule?.("node:worker_threads") as NodeWorkers | undefined;
}

/** Why there can be no threads here, or undefined. */
export function whyNoThreads(): string | undefined {
  if (nodeWorkers() !== undefined) return undefined;
  if (host.Worker === undefined) return "this host has no workers";
  if (host.SharedArrayBuffer === undefined || host.crossOriginIsolated === false) {
    return (
      "the page is not cross-origin isolated, so that memory cannot be shared; serve it with the headers " +
      '"Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp"'
    );
  }
  return undefined;
}

/** Whether this thread may sleep: the main thread of a page may not. */
export function maySleep(): boolean {
  return host.window === undefined;
}

/**
 * Starts a worker. It does not keep a process of Node alive.
 * @param url of `workerScript()`, for pages that allow no script from a blob.
 * @param onLost called once if the worker ends.
 */
export function startWorker(
  data: WorkerData,
  url: string | URL | undefined,
  onLost: (reason: string) => void,
): Thread {
  const node = nodeWorkers();
  if (node !== undefined) {
    const source = `${body}\nwork(require("node:worker_threads").workerData);`;
    const worker = new node.Worker(source, { eval: true, workerData: data, execArgv: [] });
    worker.on("error", (error) => onLost(String(error)));
    worker.on("exit", (code) => onLost(`it exited with code ${code}`));
    worker.unref();
    return worker;
  }
  const own =
    url ?? host.URL.createObjectURL(new host.Blob([workerScript()], { type: "text/javascript" }));
  const worker = new host.Worker!(own);
  worker.onerror = ({ message }) => onLost(message ?? "its script did not load");
  worker.postMessage(data);
  return worker;
}
