import type { Tensor } from "../../backend/backend.js";
import { isStoredTensor } from "../../backend/stored-values.js";

/** Whether JavaScript can access the values of the tensors of a backend. @param tensor one of them */
export function hasView(tensor: Tensor): boolean {
  return "view" in tensor || isStoredTensor(tensor);
}
