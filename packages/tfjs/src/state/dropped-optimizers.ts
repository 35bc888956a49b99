import type { UnmanagedTensors } from "../memory/unmanaged-tensors.js";
import { removeDisposalListener } from "./variable-disposal.js";

/** Frees the state of optimizers that were dropped without `dispose`: TF.js's heap and GPU buffers are not collected. */
export const droppedOptimizers = new FinalizationRegistry<UnmanagedTensors>((tensors) => {
  tensors.freeAll();
  removeDisposalListener(tensors);
});
