import {
  newRow,
  type ParameterCopy,
  type RowMove,
  type RowSources,
  type Tensor,
} from "../src/backend/backend.js";
import { rowValuesOf, storedValues } from "../src/backend/stored-values.js";
import { guarding, type DeviceBackend } from "./guarding-backend.js";
import type { Target } from "./host-guard.js";

/** More rows than any tensor of a test has. */
const mostRows = 16;

export interface RecordingBackend extends DeviceBackend {
  /** The values of a tensor that the host does not see: for numbers of rows, as they are when work is executed. */
  readonly words: (values: readonly number[]) => {
    readonly tensor: Tensor;
    readonly array: Uint32Array;
  };
}

/**
 * A device that records moves of rows and fills of copies, and reads numbers of rows when work is executed. Recorded moves
 * are executed at once, after everything that was recorded before them.
 */
export function recording(): RecordingBackend {
  const backend = guarding();
  const plain = { remap: backend.remap!.bind(backend), submit: backend.submit.bind(backend) };
  const onDevice = (work: () => void): void => plain.submit([work]);
  const words = (values: readonly number[]): { tensor: Tensor; array: Uint32Array } => {
    const array = Uint32Array.from(values);
    return { tensor: backend.hide(backend.wrap(array, { shape: [array.length] })), array };
  };
  const limits: { readonly count: Tensor | number; readonly mask: Uint32Array }[] = [];
  const updateLimits = (): void => {
    for (const { count, mask } of limits)
      mask.forEach((_, row) => {
        mask[row] = +(row < (typeof count === "number" ? count : storedValues(count)[0]));
      });
  };
  const remap = (moves: readonly RowMove[], { count, indices, limit }: RowSources): void =>
    onDevice(() => {
      updateLimits();
      const selected = limit === undefined ? undefined : rowValuesOf(limit);
      const { tensor } = moves.find((move) => move.reset !== "written")!;
      const from = rowValuesOf(indices)
        .slice(0, count)
        .map((row, i) => (selected?.[i] === 0 || row >= tensor.shape[0] ? newRow : row));
      plain.remap(moves, { count, indices: from });
    });
  return Object.assign(backend, {
    words,
    remap,
    rowLimit: (count: Tensor | number) => {
      const { tensor, array } = words(Array.from({ length: mostRows }, () => 0));
      limits.push({ count, mask: array });
      onDevice(updateLimits);
      return tensor;
    },
    encodeRemap: (target: Target, moves: readonly RowMove[], sources: RowSources) => {
      plain.submit(target);
      remap(moves, sources);
    },
    encodeFillCopy: (target: Target, parameter: Tensor, copy: ParameterCopy) => {
      target.push(() => backend.fillCopy!(parameter, copy));
    },
    submit: (target: Target) => {
      onDevice(updateLimits);
      plain.submit(target);
    },
  });
}
