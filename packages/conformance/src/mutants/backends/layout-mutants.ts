import type { RowMove, Tensor } from "@gradstep/core";
import { fieldOf, writeField } from "../../layouts/field.js";
import { hostOperations } from "../../layouts/laid-out-updates.js";
import type { Mutant } from "../mutant.js";
import { target } from "../mutable-target.js";
import { faulty, updating, withLayouts } from "./faulty-layouts.js";
import { bytesOf, columnsOf, isDtype, moved, rowStrideOf, withLayout } from "./tensor-layouts.js";

const { read, write, decode, fill } = hostOperations;

/** Parameters and slots are read and written in another layout. */
function inLayout(name: string, change: (tensor: Tensor) => Tensor): Mutant {
  return faulty(name, {
    operations: {
      read: (tensor) => read(change(tensor)),
      write: (tensor, values) => {
        write(change(tensor), values);
      },
    },
  });
}

/** Spoils fields after their rows were moved. */
function remapping(
  name: string,
  spoil: (remap: {
    readonly moves: readonly RowMove[];
    /** What parameters and slots that are fields held before. */
    readonly before: ReadonlyMap<Tensor, Float32Array>;
  }) => void,
): Mutant {
  return {
    name,
    kind: "backend",
    group: "layouts",
    target: () =>
      target({
        backend: () => {
          const backend = withLayouts({});
          const remap = backend.remap!.bind(backend);
          backend.remap = (moves, sources) => {
            const fields = moves.filter(({ tensor }) => isDtype(tensor, "f32"));
            const before = new Map(fields.map(({ tensor }) => [tensor, read(tensor)]));
            remap(moves, sources);
            spoil({ moves, before });
          };
          return backend;
        },
      }),
  };
}

/** Backends that compute correctly, but read, write or move the wrong values of parameters and slots in a layout. */
export const layoutMutants: readonly Mutant[] = [
  inLayout("rows have no gaps, whatever their stride", (tensor) =>
    withLayout(tensor, () => ({ rowStride: columnsOf(tensor) })),
  ),
  faulty("rows are read at their stride and written without gaps", {
    operations: {
      write: (tensor, values) => {
        write(
          withLayout(tensor, () => ({ rowStride: columnsOf(tensor) })),
          values,
        );
      },
    },
  }),
  inLayout("a stride of an odd number of words is one too small", (tensor) =>
    withLayout(tensor, ({ rowStride }) => ({
      rowStride: Math.max(columnsOf(tensor), rowStride - (rowStride % 2)),
    })),
  ),
  inLayout("fields begin one value too late", (tensor) => moved(tensor, 1)),
  inLayout("fields begin at the first value of their struct", (tensor) =>
    moved(tensor, -((tensor.memory.byteOffset / 4) % rowStrideOf(tensor))),
  ),
  inLayout("the second column is the first of the next row", (tensor) =>
    columnsOf(tensor) === 2 && rowStrideOf(tensor) > 2
      ? withLayout(tensor, () => ({ rowStride: rowStrideOf(tensor) - 1 }))
      : tensor,
  ),
  faulty("the last row of a field is not written", {
    operations: {
      write: (tensor, values) => {
        const kept = read(tensor).slice(-columnsOf(tensor));
        write(tensor, values);
        const changed = read(tensor);
        changed.set(kept, changed.length - kept.length);
        write(tensor, changed);
      },
    },
  }),
  faulty("the last column of a field is not written", {
    operations: {
      write: (tensor, values) => {
        const before = read(tensor);
        const columns = columnsOf(tensor);
        write(
          tensor,
          values.map((value, i) => (i % columns === columns - 1 ? before[i] : value)),
        );
      },
    },
  }),
  faulty("what lies between rows is set to 0", {
    operations: {
      write: (tensor, values) => {
        bytesOf(tensor).fill(0);
        write(tensor, values);
      },
    },
  }),
  faulty("a value behind each row is overwritten with the last of the row", {
    operations: {
      write: (tensor, values) => {
        const stride = rowStrideOf(tensor);
        const columns = columnsOf(tensor);
        if (stride > columns) {
          const { words, field } = fieldOf(tensor);
          const last = Array.from(values).filter((_, i) => i % columns === columns - 1);
          const behind = { ...field, shape: [last.length - 1], offset: field.offset + columns };
          if (last.length > 1) writeField(words, behind, last);
        }
        write(tensor, values);
      },
    },
  }),
  updating("slots have the stride of their parameter", (update) => ({
    ...update,
    slots: update.slots.map((slot) =>
      withLayout(slot, () => ({
        rowStride: Math.min(
          rowStrideOf(slot),
          Math.max(columnsOf(slot), rowStrideOf(update.parameter)),
        ),
      })),
    ),
  })),
  updating("gradients have the stride of their parameter", (update) => ({
    ...update,
    gradient: withLayout(update.gradient, () => ({
      rowStride: Math.min(
        rowStrideOf(update.gradient),
        Math.max(columnsOf(update.gradient), rowStrideOf(update.parameter)),
      ),
    })),
  })),
  updating("copies have the stride of their parameter", (update) => ({
    ...update,
    copies: update.copies.map((copy) => ({
      ...copy,
      target: withLayout(copy.target, () => ({
        rowStride: Math.min(
          rowStrideOf(copy.target),
          Math.max(columnsOf(copy.target), rowStrideOf(update.parameter)),
        ),
      })),
    })),
  })),
  updating("two slots of one stride are swapped", (update) => {
    const [a, b, ...rest] = update.slots;
    const isSwapped = a?.layout !== undefined && b?.layout !== undefined && a.size === b.size;
    return isSwapped ? { ...update, slots: [b, a, ...rest] } : update;
  }),

  remapping("moved rows are written without gaps", ({ moves }) => {
    for (const { tensor } of moves)
      if (isDtype(tensor, "f32")) {
        const values = read(tensor);
        write(
          withLayout(tensor, () => ({ rowStride: columnsOf(tensor) })),
          values,
        );
      }
  }),
  remapping("what lies between moved rows is set to 0", ({ moves }) => {
    for (const { tensor } of moves) {
      if (tensor.layout === undefined || tensor.shape[0] < 2) continue;
      const values = decode(tensor);
      const [rows] = tensor.shape;
      const bytes = bytesOf(tensor);
      bytes.fill(0, 0, (bytes.length * (rows - 1)) / rows);
      fill(tensor, values);
    }
  }),
  remapping("fields keep the values of rows that are reset", ({ moves, before }) => {
    for (const { tensor, reset } of moves) {
      const old = before.get(tensor);
      if (old === undefined || !ArrayBuffer.isView(reset)) continue;
      const columns = columnsOf(tensor);
      write(
        tensor,
        read(tensor).map((value, i) =>
          reset[Math.floor(i / columns)] !== 0 && i < old.length ? old[i] : value,
        ),
      );
    }
  }),
  remapping("fields keep their last row where it was", ({ moves, before }) => {
    for (const { tensor } of moves) {
      const old = before.get(tensor);
      if (old === undefined || old.length < tensor.size) continue;
      const values = read(tensor);
      const start = values.length - columnsOf(tensor);
      values.set(old.subarray(start, values.length), start);
      write(tensor, values);
    }
  }),
  {
    name: "copies are not filled after a remap",
    kind: "backend",
    group: "layouts",
    target: () =>
      target({
        backend: () => {
          const backend = withLayouts({});
          const fillCopy = backend.fillCopy!.bind(backend);
          const remap = backend.remap!.bind(backend);
          let isMoved = false;
          backend.remap = (moves, sources) => {
            remap(moves, sources);
            isMoved = true;
          };
          backend.fillCopy = (parameter, copy) => {
            if (!isMoved) fillCopy(parameter, copy);
          };
          return backend;
        },
      }),
  },
];
