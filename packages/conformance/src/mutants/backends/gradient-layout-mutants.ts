import type { Tensor, Update } from "@gradstep/core";
import { fieldOf, positionsOf, readField, writeField } from "../../layouts/field.js";
import { decodeFloat16 } from "../../layouts/float16.js";
import { hostOperations } from "../../layouts/laid-out-updates.js";
import type { Mutant } from "../mutant.js";
import { target } from "../mutable-target.js";
import { faulty, updating, withLayouts } from "./faulty-layouts.js";
import { bytesOf, columnsOf, isDtype, moved, withLayout } from "./tensor-layouts.js";

const { write, decode, clear } = hostOperations;

function decoding(name: string, change: (tensor: Tensor) => Float32Array): Mutant {
  return faulty(name, { operations: { decode: change } });
}

function clearing(name: string, change: (gradient: Tensor, update: Update) => void): Mutant {
  return faulty(name, { operations: { clear: change } });
}

/** Integers of a gradient, times something. */
function decodeIntegers(tensor: Tensor, valueOf: (integer: number, scale: number) => number) {
  const { words, field } = fieldOf(tensor);
  if (field.dtype !== "i32" && field.dtype !== "u32") return decode(tensor);
  return Float32Array.from(readField(words, field), (integer) => valueOf(integer, field.scale));
}

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

/** Gradients in fixed point, of f16 or with gaps that are read or cleared wrongly. */
export const gradientLayoutMutants: readonly Mutant[] = [
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
    bytesOf(gradient).fill(0);
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
      for (const position of positionsOf(field)) words[position >> 1] = 0;
    } else clear(gradient, update);
  }),
  clearing("clearing sets integers to 1", (gradient, update) => {
    const { words, field } = fieldOf(gradient);
    if (field.dtype === "i32" || field.dtype === "u32")
      writeField(words, field, new Float32Array(gradient.size).fill(1));
    else clear(gradient, update);
  }),
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
  return Float32Array.from(positionsOf(field), (position) => valueOf(halves[positionOf(position)]));
}

function bfloat16Of(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0];
}
