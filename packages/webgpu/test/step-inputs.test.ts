// Which inputs of a step are those of an earlier one: each thing that its dispatches depend on changes alone.
import type { Tensor, Update } from "@gradstep/core";
import { expect, test } from "vitest";
import type { GpuTensor } from "../src/memory/gpu-tensor.js";
import { StepInputs } from "../src/planning/step/step-inputs.js";

interface Fields extends Pick<GpuTensor, "rows" | "size" | "isPadded"> {
  readonly buffer: object;
  readonly byteOffset: number;
  readonly layout: object | undefined;
}

/** The inputs of an update. */
type Inputs = Readonly<Partial<Record<keyof Update, unknown>>>;

const buffer = {};
const layout = { dtype: "f16", rowStride: 4, scale: 1 } as const;
const plain: Fields = { buffer, byteOffset: 256, rows: 2, size: 8, layout, isPadded: false };

/** A tensor that is wrapped again over its memory. */
function tensorOf({ buffer: memory, byteOffset, ...fields }: Fields): Tensor {
  return { ...fields, memory: { buffer: memory, byteOffset } } as unknown as Tensor;
}

const otherMemory: readonly Partial<Fields>[] = [
  { buffer: {} },
  { byteOffset: 512 },
  { size: 4 },
  { rows: 8 },
  { isPadded: true },
  { layout: undefined },
  { layout: { ...layout, dtype: "bf16" } },
  { layout: { ...layout, rowStride: 8 } },
  { layout: { ...layout, scale: 0.5 } },
];

const update: Inputs = { gradient: tensorOf(plain), clearsGradient: false };

function matches(known: Inputs, current: Inputs): boolean {
  return new StepInputs([known as unknown as Update]).matches(0, current as unknown as Update);
}

const tensorInputs = {
  gradient: (one: Tensor) => ({ gradient: one }),
  mask: (mask: Tensor) => ({ ...update, mask }),
  rows: (rows: Tensor) => ({ ...update, rows }),
  scale: (scale: Tensor) => ({ ...update, signals: { scale } }),
  skip: (skip: Tensor) => ({ ...update, signals: { scale: 1, skip } }),
  learningRate: (learningRate: Tensor) => ({ ...update, signals: { scale: 1, learningRate } }),
};

test.each(Object.entries(tensorInputs))("a tensor in the same memory is the same %s", (_, of) => {
  const known = of(tensorOf(plain));
  expect(matches(known, of(tensorOf(plain)))).toBe(true);
  for (const other of otherMemory)
    expect(matches(known, of(tensorOf({ ...plain, ...other })))).toBe(false);
});

test.each(["mask", "rows", "skip", "learningRate"] as const)(
  "a step with %s is not one without, or with an array",
  (name) => {
    const given = tensorInputs[name](tensorOf(plain));
    const none = "signals" in given ? { ...update, signals: { scale: 1 } } : update;
    expect([matches(given, none), matches(none, given)]).toEqual([false, false]);
    if ("signals" in given) return;
    const array = { ...update, [name]: Uint32Array.of(1) };
    expect(matches(array, { ...update, [name]: Uint32Array.of(0) })).toBe(true);
    expect([
      matches(array, given),
      matches(given, array),
      matches(array, none),
      matches(none, array),
    ]).toEqual([false, false, false, false]);
  },
);

test("steps differ in whether gradients are cleared, and in what happens to rows that are left out", () => {
  expect(matches(update, { ...update, clearsGradient: true })).toBe(false);
  const keep = { ...update, unselectedRows: "keep" } as const;
  const zero = { ...update, unselectedRows: "zero" } as const;
  // Without a mask or rows, none is left out.
  expect(matches(keep, zero)).toBe(true);
  for (const rows of [{ mask: new Uint32Array(2) }, { rows: new Uint32Array(2) }]) {
    expect(matches({ ...keep, ...rows }, { ...zero, ...rows })).toBe(false);
    expect(matches({ ...keep, ...rows }, { ...keep, ...rows })).toBe(true);
  }
});

test("a scale of 1 is none; other numbers are written for each step", () => {
  const scaled = (scale: number | Tensor): Inputs => ({ ...update, signals: { scale } });
  expect(matches(scaled(0.5), scaled(0.25))).toBe(true);
  expect(matches(scaled(1), scaled(1))).toBe(true);
  expect(matches(scaled(1), update)).toBe(false);
  const device = tensorOf(plain);
  for (const [known, current] of [
    [1, 0.5],
    [0.5, 1],
    [device, 0.5],
    [0.5, device],
    [1, device],
  ] as const)
    expect(matches(scaled(known), scaled(current))).toBe(false);
});
