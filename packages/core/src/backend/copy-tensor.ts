import type { Tensor } from "./backend.js";
import { columnsOf } from "./dimensions.js";
import { checkTransfer } from "./host-call-checks.js";
import { rowStrideOf, storedValues } from "./stored-values.js";

/**
 * `Backend.copy` for tensors in host memory, with any layout of f32 or f64.
 * @throws {GradstepError} `INVALID_PARAMETER`, `LENGTH_MISMATCH`, `DISPOSED`
 */
export function copyTensor(source: Tensor, target: Tensor): void {
  checkTransfer(source, target);
  if (source.layout === undefined && target.layout === undefined) {
    target.write(source.view!());
    return;
  }
  const values = storedValues(source);
  const stored = storedValues(target);
  const [from, to] = [rowStrideOf(source), rowStrideOf(target)];
  const columns = columnsOf(source);
  const rows = source.shape[0] ?? 1;
  for (let i = 0; i < rows; i += 1)
    for (let j = 0; j < columns; j += 1) stored[i * to + j] = values[i * from + j];
}
