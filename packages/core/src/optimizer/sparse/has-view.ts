import type { Tensor } from "../../backend/backend.js";

/** Whether JavaScript can access the values of the tensors of a backend. */
export function hasView(tensor: Tensor): boolean {
  return "view" in tensor;
}
