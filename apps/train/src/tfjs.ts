import { enableProdMode, setBackend } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";

/** The backends of TF.js that `--backend` takes. */
export const backendNames = ["wasm", "cpu"] as const;

export type BackendName = (typeof backendNames)[number];

/**
 * Makes TF.js compute on that backend from now on. Tensors that exist stay where they are.
 * Production mode is what keeps TF.js's banners and hints off the terminal.
 */
export async function useBackend(name: BackendName): Promise<void> {
  enableProdMode();
  if (!(await setBackend(name))) throw new Error(`TF.js could not start its ${name} backend.`);
}
