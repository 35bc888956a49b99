import { webgpu } from "@gradstep/webgpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threads from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
import { env } from "@tensorflow/tfjs-core";
import { expose } from "comlink";
import type { BackendName } from "../backends/browser-backends.js";
import { runBenchmark } from "./benchmark.js";
import type { BenchmarkEvent, BenchmarkTable } from "./benchmark-table.js";
import type { ExtentName } from "./settings.js";

/** What the page calls. To stop it, the page ends the worker. */
export interface BenchmarkWorker {
  run(
    names: readonly BackendName[],
    extent: ExtentName,
    onEvent: (event: BenchmarkEvent) => void,
  ): Promise<readonly BenchmarkTable[]>;
}

let device: Promise<GPUDevice> | undefined;

expose({
  run: async (names, extent, onEvent) => {
    setWasmPaths({
      "tfjs-backend-wasm.wasm": plain,
      "tfjs-backend-wasm-simd.wasm": simd,
      "tfjs-backend-wasm-threaded-simd.wasm": threads,
    });
    // One thread, like gradstep's `wasm` and TF.js in Node.
    env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
    return runBenchmark(
      names,
      extent,
      {
        device: () => (device ??= webgpu().then((backend) => backend.device)),
        prepareTfjsWebgpu: () => import("@tensorflow/tfjs-backend-webgpu"),
      },
      onEvent,
    );
  },
} satisfies BenchmarkWorker);
