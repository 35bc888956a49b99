import { enableProdMode, env, setBackend } from "@tensorflow/tfjs-core";
import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threads from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
import { threadCount } from "../backends/browser-backends.js";
import type { TrainingBackend } from "./run-settings.js";

/** Loads a backend of TensorFlow.js, and makes TensorFlow.js compute on it from now on. */
export async function startTfjs(backend: TrainingBackend): Promise<void> {
  // Keeps banners and hints off the console.
  enableProdMode();
  switch (backend) {
    case "cpu-js":
      await import("@tensorflow/tfjs-backend-cpu");
      return start("cpu");
    case "wasm":
      return startWasm(1);
    case "wasm-threads":
      return startWasm(threadCount());
    case "webgpu":
      await import("@tensorflow/tfjs-backend-webgpu");
      return start("webgpu");
  }
}

async function startWasm(count: number): Promise<void> {
  const { setThreadsCount, setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths({
    "tfjs-backend-wasm.wasm": plain,
    "tfjs-backend-wasm-simd.wasm": simd,
    "tfjs-backend-wasm-threaded-simd.wasm": threads,
  });
  if (count === 1) env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  else setThreadsCount(count);
  return start("wasm");
}

async function start(name: string): Promise<void> {
  if (await setBackend(name)) return;
  throw new Error(`TensorFlow.js could not start its ${name} backend in this browser.`);
}
