import type { Layout, RowMove, Tensor, Update } from "@gradstep/core";
import { extentOf, fieldOf, readField, writeField } from "../../layouts/field.js";
import { decodeFloat16, floorFloat16 } from "../../layouts/float16.js";
import { hostOperations } from "../../layouts/laid-out-updates.js";
import type { Mutant } from "../mutant.js";
import { target } from "../mutable-target.js";
import { faulty, moved, withLayout, withLayouts } from "./faulty-layouts.js";
import { bfloat16 } from "./narrow-rounding.js";

const { read, write, decode, fill, clear } = hostOperations;
const isDtype = (tensor: Tensor, dtype: Layout["dtype"]): boolean => tensor.layout?.dtype === dtype;
const columnsOf = ({ shape }: Tensor): number => extentOf(shape).columns;

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

function decoding(name: string, change: (tensor: Tensor) => Float32Array): Mutant {
  return faulty(name, { operations: { decode: change } });
}

function clearing(name: string, change: (gradient: Tensor, update: Update) => void): Mutant {
  return faulty(name, { operations: { clear: change } });
}

function filling(
  name: string,
  change: (target: Tensor, values: ArrayLike<number>) => void,
  options: Pick<Parameters<typeof faulty>[1], "isAllowed"> = {},
): Mutant {
  return faulty(name, { operations: { fill: change }, ...options });
}

function updating(name: string, change: (update: Update) => Update): Mutant {
  return faulty(name, {
    run: (updates, run) => {
      run(updates.map(change));
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

/** Integers of a gradient, times something. */
function decodeIntegers(tensor: Tensor, valueOf: (integer: number, scale: number) => number) {
  const { words, field } = fieldOf(tensor);
  if (field.dtype !== "i32" && field.dtype !== "u32") return decode(tensor);
  return Float32Array.from(readField(words, field), (integer) => valueOf(integer, field.scale));
}

/** The bits of f16 values, changed. */
function fillBits(
  target: Tensor,
  change: (value: number) => number,
  values: ArrayLike<number>,
): void {
  if (!isDtype(target, "f16")) fill(target, values);
  else fill(target, Array.from(values, change));
}

/** Every stored value from the first to the last of a tensor, those between its rows included. */
function span(tensor: Tensor): { readonly words: Uint32Array; readonly bytes: Uint8Array } {
  const { words } = fieldOf(tensor);
  const { byteOffset, byteLength } = tensor.memory;
  return { words, bytes: new Uint8Array(words.buffer, byteOffset, byteLength) };
}

const rowStrideOf = (tensor: Tensor): number => tensor.layout?.rowStride ?? columnsOf(tensor);

/** The scale keeps the bits that f32 does not have. */
const scaledInFloat64: Mutant = {
  name: "the scale of integers is that of f64",
  kind: "backend",
  group: "layouts",
  isAllowed: ({ name }) => name === "wgsl",
  target: () => {
    const scales = new Map<object, number>();
    return target({
      backend: () => {
        const backend = withLayouts({
          operations: {
            decode: (tensor) =>
              decodeIntegers(tensor, (integer, scale) => integer * (scales.get(tensor) ?? scale)),
          },
        });
        const wrap = backend.wrap.bind(backend);
        backend.wrap = (memory, options) => {
          const tensor = wrap(memory, options);
          if (options?.scale !== undefined) scales.set(tensor, options.scale);
          return tensor;
        };
        return backend;
      },
    });
  },
};

/** Backends that compute correctly, but read, write or clear the wrong values of a layout. */
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
        span(tensor).bytes.fill(0);
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

  decoding("integers are taken without their scale", (tensor) =>
    decodeIntegers(tensor, (integer) => integer),
  ),
  decoding("integers are scaled twice", (tensor) =>
    decodeIntegers(tensor, (integer, scale) => integer * scale * scale),
  ),
  decoding("integers are divided by their scale", (tensor) =>
    decodeIntegers(tensor, (integer, scale) => integer / scale),
  ),
  scaledInFloat64,
  decoding("i32 are read as u32", (tensor) =>
    decodeIntegers(tensor, (integer, scale) => (integer >>> 0) * scale),
  ),
  decoding("u32 are read as i32", (tensor) =>
    decodeIntegers(tensor, (integer, scale) => (integer | 0) * scale),
  ),
  decoding("integers have no sign", (tensor) =>
    decodeIntegers(tensor, (integer, scale) => Math.abs(integer) * scale),
  ),
  decoding("integers keep 16 bits", (tensor) =>
    decodeIntegers(tensor, (integer, scale) => ((integer << 16) >> 16) * scale),
  ),
  decoding("integers are read as the bits of f32", (tensor) => {
    const { words, field } = fieldOf(tensor);
    return field.dtype === "i32" || field.dtype === "u32"
      ? Float32Array.from(readField(words, { ...field, dtype: "f32" }))
      : decode(tensor);
  }),
  decoding("f16 gradients are read from the other half of their words", (tensor) => {
    if (!isDtype(tensor, "f16")) return decode(tensor);
    return decodeHalves(tensor, (position) => position ^ 1);
  }),
  decoding("f16 gradients are read from the lower half of their words", (tensor) =>
    isDtype(tensor, "f16") ? decodeHalves(tensor, (position) => position & ~1) : decode(tensor),
  ),
  faulty("subnormal f16 gradients are 0", {
    operations: {
      decode: (tensor) =>
        isDtype(tensor, "f16")
          ? decode(tensor).map((value) => (Math.abs(value) < 2 ** -14 ? 0 : value))
          : decode(tensor),
    },
    isAllowed: ({ flushes }) => flushes,
  }),
  decoding("f16 gradients are read as bfloat16", (tensor) =>
    isDtype(tensor, "f16")
      ? decodeHalves(tensor, (position) => position, bfloat16Of)
      : decode(tensor),
  ),
  decoding("gradients have no gaps between rows", (tensor) =>
    decode(withLayout(tensor, () => ({ rowStride: columnsOf(tensor) }))),
  ),
  decoding("gradients begin one value too late", (tensor) => decode(moved(tensor, 1))),

  clearing("gradients are not cleared", () => {}),
  clearing("only the gradients of selected rows are cleared", (gradient, { mask }) => {
    if (mask === undefined) {
      clear(gradient, undefined as never);
      return;
    }
    const { words, field } = fieldOf(gradient);
    const columns = columnsOf(gradient);
    const kept = readField(words, field).map((value, i) =>
      (mask as Uint32Array)[Math.floor(i / columns)] === 0 ? value : 0,
    );
    writeField(words, field, kept);
  }),
  faulty("gradients are cleared before they are read", {
    run: (updates, run) => {
      for (const update of updates) if (update.clearsGradient) clear(update.gradient, update);
      run(updates);
    },
  }),
  updating("gradients are cleared at every step", (update) => ({
    ...update,
    clearsGradient: update.clearsGradient || update.gradient.layout !== undefined,
  })),
  clearing("what lies between the rows of a gradient is cleared, too", (gradient) => {
    span(gradient).bytes.fill(0);
  }),
  clearing("the first row of a gradient is cleared", (gradient, update) => {
    const [rows, ...rest] = gradient.shape;
    clear(
      rows > 1
        ? ({ ...partsOf(gradient), shape: [1, ...rest], size: columnsOf(gradient) } as Tensor)
        : gradient,
      update,
    );
  }),
  clearing("clearing leaves the signs of f32", (gradient, update) => {
    const values = decode(gradient);
    if (gradient.layout?.dtype === "f32" || gradient.layout === undefined)
      write(
        gradient,
        values.map((value) => (value < 0 ? -0 : 0)),
      );
    else clear(gradient, update);
  }),
  clearing("clearing f16 gradients clears whole words", (gradient, update) => {
    if (isDtype(gradient, "f16")) {
      const { words, field } = fieldOf(gradient);
      for (const position of positions(gradient, field.offset)) words[position >> 1] = 0;
    } else clear(gradient, update);
  }),
  clearing("clearing sets integers to 1", (gradient, update) => {
    const { words, field } = fieldOf(gradient);
    if (field.dtype === "i32" || field.dtype === "u32")
      writeField(words, field, new Float32Array(gradient.size).fill(1));
    else clear(gradient, update);
  }),

  filling("the halves of words are swapped in f16 copies", (target, values) => {
    if (!isDtype(target, "f16")) {
      fill(target, values);
      return;
    }
    const { words, field } = fieldOf(target);
    const halves = new Uint16Array(words.buffer, words.byteOffset, words.length * 2);
    const places = [...positions(target, field.offset)];
    const kept = places.map((position) => halves[position]);
    fill(target, values);
    const filled = places.map((position) => halves[position]);
    places.forEach((position, i) => {
      halves[position] = kept[i];
    });
    places.forEach((position, i) => {
      halves[position ^ 1] = filled[i];
    });
  }),
  filling("the other half of each word of an f16 copy is set to 0", (target, values) => {
    if (isDtype(target, "f16")) {
      const { words, field } = fieldOf(target);
      for (const position of positions(target, field.offset)) words[position >> 1] = 0;
    }
    fill(target, values);
  }),
  filling(
    "f16 copies are cut off and not rounded",
    (target, values) => {
      fillBits(target, (value) => Math.sign(value) * floorFloat16(Math.abs(value)), values);
    },
    { isAllowed: ({ roundsFloat16ToNearest }) => !roundsFloat16ToNearest },
  ),
  filling(
    "f16 copies have no subnormal values",
    (target, values) => {
      fillBits(target, (value) => (Math.abs(value) < 2 ** -14 ? 0 : value), values);
    },
    { isAllowed: ({ flushes }) => flushes },
  ),
  filling("f16 copies are infinite beyond the range", (target, values) => {
    if (!isDtype(target, "f16")) {
      fill(target, values);
      return;
    }
    fill(target, values);
    const { words, field } = fieldOf(target);
    const stored = Array.from(readField(words, field), (value, i) =>
      Math.abs(values[i]) >= 65_520 ? Math.sign(values[i]) * Infinity : value,
    );
    writeField(words, field, stored);
  }),
  filling("f16 copies have 8 bits of fraction", (target, values) => {
    fillBits(target, (value) => bfloat16(value), values);
  }),
  filling("f32 copies are rounded to bfloat16", (target, values) => {
    if (isDtype(target, "f16")) fill(target, values);
    else fill(target, Array.from(values, bfloat16));
  }),
  filling("copies have no gaps between rows", (target, values) => {
    fill(
      withLayout(target, () => ({ rowStride: columnsOf(target) })),
      values,
    );
  }),
  filling("copies begin one value too late", (target, values) => {
    fill(moved(target, 1), values);
  }),
  filling("what lies between the rows of a copy is set to 0", (target, values) => {
    span(target).bytes.fill(0);
    fill(target, values);
  }),
  filling("the last row of a copy is not filled", (target, values) => {
    const { words, field } = fieldOf(target);
    const columns = columnsOf(target);
    const kept = readField(words, field).slice(-columns);
    fill(target, values);
    const stored = readField(words, field);
    stored.set(kept, stored.length - columns);
    writeField(words, field, stored);
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
      const { bytes } = span(tensor);
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

function partsOf({ backend, layout, memory }: Tensor): Partial<Tensor> {
  return { backend, memory, ...(layout === undefined ? {} : { layout }) };
}

/** The f16 of a tensor from other positions, in other formats. */
function decodeHalves(
  tensor: Tensor,
  positionOf: (position: number) => number,
  valueOf: (bits: number) => number = decodeFloat16,
): Float32Array {
  const { words, field } = fieldOf(tensor);
  const halves = new Uint16Array(words.buffer, words.byteOffset, words.length * 2);
  return Float32Array.from(positions(tensor, field.offset), (position) =>
    valueOf(halves[positionOf(position)]),
  );
}

function* positions(tensor: Tensor, offset: number): Iterable<number> {
  const stride = rowStrideOf(tensor);
  const { rows, columns } = extentOf(tensor.shape);
  for (let i = 0; i < rows; i += 1)
    for (let j = 0; j < columns; j += 1) yield offset + i * stride + j;
}

function bfloat16Of(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0];
}
