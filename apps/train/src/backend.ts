import { enableProdMode, setBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { gpuForTfjs, type Gpu } from "@gradstep/apps-shared/gpu";
import type { BackendChoice } from "./options.mjs";

/** TF.js's name for each of gradstep's backends. The optimizer works in the memory in which TF.js computes. */
const tfjsNames = { webgpu: "webgpu", wasm: "wasm", "cpu-js": "cpu" } as const;

/** A backend of gradstep. */
export type BackendName = keyof typeof tfjsNames;

/** Display names. */
export const backendTitles: Readonly<Record<BackendName, string>> = {
  webgpu: "WebGPU",
  wasm: "WebAssembly",
  "cpu-js": "JavaScript",
};

/** The backend that TF.js computes on. */
export interface Backend {
  readonly name: BackendName;
  /** What computes, with WebGPU. */
  readonly gpu?: Gpu;
}

/**
 * Makes TF.js compute on that backend from now on. `auto` is WebGPU if there is a GPU, else wasm, else cpu-js. Existing
 * tensors stay where they are.
 */
export async function useBackend(choice: BackendChoice): Promise<Backend> {
  // Keeps TF.js's banners and hints off the terminal.
  enableProdMode();
  if (choice === "auto") return useFastest();
  const gpu = choice === "webgpu" ? await gpuForTfjs() : undefined;
  await start(choice);
  return { name: choice, ...(gpu && { gpu }) };
}

async function useFastest(): Promise<Backend> {
  const gpu = await gpuForTfjs().catch(() => undefined);
  if (gpu !== undefined && !gpu.isSoftware) {
    await start("webgpu");
    return { name: "webgpu", gpu };
  }
  for (const name of ["wasm", "cpu-js"] as const) {
    if (await setBackend(tfjsNames[name])) return { name };
  }
  throw new Error("TF.js could start none of its backends.");
}

async function start(name: BackendName): Promise<void> {
  const tfjs = tfjsNames[name];
  if (!(await setBackend(tfjs))) throw new Error(`TF.js could not start its ${tfjs} backend.`);
}
