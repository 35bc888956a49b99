import { arraysOf, smallestNormal, type Variant } from "@gradstep/core";
import { closureKernel, type Faults } from "./closure-kernel.js";
import type { Mutant } from "../mutant.js";
import { bfloat16, half, keepBits } from "./narrow-rounding.js";
import { target, withRun, type Run } from "../mutable-target.js";

const f32 = Math.fround;

function kernel(name: string, faults: Faults): Mutant {
  const backend = withRun((run, variant) => closureKernel(run, variant, faults));
  return { name, kind: "backend", target: () => target({ backend }) };
}

/** Changes slots or the parameter after each run. */
function afterwards(
  name: string,
  names: (variant: Variant) => readonly string[],
  change: (value: number) => number,
): Mutant {
  const wrap =
    (run: Run, variant: Variant): Run =>
    (updates, count) => {
      run(updates, count);
      for (const update of updates.slice(0, count)) {
        const arrays = arraysOf<Float32Array>(variant, update);
        for (const one of names(variant)) {
          const array = arrays.get(one)!;
          array.forEach((value, i) => {
            array[i] = change(value);
          });
        }
      }
    };
  return { name, kind: "backend", target: () => target({ backend: withRun(wrap) }) };
}

/** Changes the scalars that a kernel receives. */
function scalars(
  name: string,
  change: (value: number, scalar: string) => number,
  only: (scalar: string) => boolean = () => true,
): Mutant {
  const wrap =
    (run: Run, variant: Variant): Run =>
    (updates, count) => {
      const changed = updates.slice(0, count).map((update) => ({
        ...update,
        scalars: update.scalars.map((value, i) =>
          only(variant.scalars[i]) ? change(value, variant.scalars[i]) : value,
        ),
      }));
      run(changed, count);
    };
  return { name, kind: "backend", target: () => target({ backend: withRun(wrap) }) };
}

const slotsOf = ({ slots }: Variant): readonly string[] => slots.map(({ name }) => name);
const secondMoment = (variant: Variant): readonly string[] =>
  slotsOf(variant).filter((name) => name === "v" || name === "a");

/** The same mutant; not a bug if the error model permits assuming that NaN and infinity do not occur. */
function ofNonFinite(mutant: Mutant): Mutant {
  return { ...mutant, isAllowed: ({ keepsNonFinite }) => !keepsNonFinite };
}

/** Kernels that are slightly less accurate than required, or that compute something slightly different. */
export const arithmeticMutants: readonly Mutant[] = [
  afterwards("state in half precision", slotsOf, half),
  afterwards("state in bfloat16", slotsOf, bfloat16),
  afterwards("parameters in bfloat16", () => ["p"], bfloat16),
  afterwards(
    "parameters with 20 bits of fraction",
    () => ["p"],
    (value) => keepBits(value, 20),
  ),
  afterwards("second moment flushed at 1e-30", secondMoment, (v) => (Math.abs(v) < 1e-30 ? 0 : v)),
  ofNonFinite(
    afterwards(
      "NaN becomes 0",
      () => ["p"],
      (value) => (Number.isNaN(value) ? 0 : value),
    ),
  ),
  ofNonFinite(
    afterwards("infinity becomes the largest number", slotsOf, (value) =>
      Number.isFinite(value) || Number.isNaN(value) ? value : Math.sign(value) * 3.4e38,
    ),
  ),
  afterwards("state clipped at 1e15", slotsOf, (value) => Math.max(-1e15, Math.min(1e15, value))),
  scalars(
    "1 − fround(β₂) on the device",
    (c2) => 1 - f32(1 - c2),
    (name) => name === "c2",
  ),
  scalars("scalars in bfloat16", bfloat16),
  scalars("scalars rounded twice, to 16 bits first", (value) => keepBits(value, 16)),
  scalars(
    "epsilon of less than 1e-7 taken as 1e-7",
    (value) => Math.max(value, 1e-7),
    (name) => name.startsWith("epsilon"),
  ),
  scalars("epsilon lost in half precision", half, (name) => name.startsWith("epsilon")),
  kernel("root by a 12-bit reciprocal root", {
    operations: { sqrt: (a) => () => f32(a() * keepBits(1 / Math.sqrt(a()), 12)) },
  }),
  kernel("division by a 12-bit reciprocal", {
    operations: { div: (a, b) => () => f32(a() * keepBits(1 / b(), 12)) },
  }),
  kernel("division that adds 1e-12 to every divisor", {
    operations: { div: (a, b) => () => f32(a() / f32(b() + 1e-12)) },
  }),
  {
    ...kernel("products among subnormals flushed", {
      operations: {
        mul: (a, b) => () => {
          const product = f32(a() * b());
          return Math.abs(product) < smallestNormal ? 0 : product;
        },
      },
    }),
    isAllowed: ({ flushes }) => flushes,
  },
  kernel("sums truncated, not rounded", {
    operations: {
      add: (a, b) => () => truncated(a() + b()),
      sub: (a, b) => () => truncated(a() - b()),
    },
  }),
  kernel("sign(0) is 1", { operations: { sign: (a) => () => (a() < 0 ? -1 : 1) } }),
  ofNonFinite(
    kernel("max that forgets NaN", {
      operations: { max: (a, b) => () => (a() > b() ? a() : Number.isNaN(b()) ? a() : b()) },
    }),
  ),
  kernel("max of the magnitudes", {
    operations: { max: (a, b) => () => (Math.abs(a()) > Math.abs(b()) ? a() : b()) },
  }),
  kernel("flush at 2^-100", {
    operations: { flush: (a) => () => (Math.abs(a()) < 2 ** -100 ? 0 : a()) },
  }),
  kernel("choice taken the wrong way round", {
    operations: { select: (condition, a, b) => () => (condition() === 1 ? b() : a()) },
  }),
  kernel("< taken for <=", { operations: { lt: (a, b) => () => (a() <= b() ? 1 : 0) } }),
  kernel("no absolute value", { operations: { abs: (a) => a } }),
  kernel("outputs stored before the others are computed", { storesEarly: true }),
];

/** To the neighbor towards 0. */
function truncated(value: number): number {
  const nearest = f32(value);
  if (Math.abs(nearest) <= Math.abs(value)) return nearest;
  return nearest * (1 - 2 ** -24) === nearest ? nearest : f32(nearest * (1 - 2 ** -23));
}
