import { enableProdMode, setBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { gpuForTfjs, type Gpu } from "./gpu.js";

/** TF.js's backend for each of gradstep's: the optimizer works in the memory in which TF.js computes. */
const tfjsNames = { webgpu: "webgpu", wasm: "wasm", "cpu-js": "cpu" } as const;

/** A backend of gradstep's. */
export type BackendName = keyof typeof tfjsNames;

/** What `--backend` takes. */
export const backendChoices = ["wasm", "webgpu", "cpu-js", "auto"] as const;

export type BackendChoice = (typeof backendChoices)[number];

/** A backend that TF.js computes on. */
export interface Backend {
  readonly name: BackendName;
  /** The GPU, as its driver calls it, where there is one. */
  readonly gpu?: Gpu;
}

/**
 * Makes TF.js compute on that backend from now on; `auto` is a GPU if there is one, else wasm, else cpu-js. Tensors
 * that exist stay where they are. Production mode is what keeps TF.js's banners and hints off the terminal.
 */
export async function useBackend(choice: BackendChoice): Promise<Backend> {
  enableProdMode();
  if (choice === "auto") return useBest();
  const gpu = choice === "webgpu" ? await gpuForTfjs() : undefined;
  await start(choice);
  return { name: choice, ...(gpu && { gpu }) };
}

async function useBest(): Promise<Backend> {
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
