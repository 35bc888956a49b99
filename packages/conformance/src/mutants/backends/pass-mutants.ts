import {
  buildVariant,
  type ReduceOp,
  type Tensor,
  type Values,
  type Variant,
} from "@gradstep/core";
import { definedArithmetic, runPasses, type PassArithmetic } from "@gradstep/core/reference";
import type { Mutant } from "../mutant.js";
import { target, withChange, withRun, type Run } from "../mutable-target.js";
import { metricsOf } from "../rules/mutate-rule.js";
import { half } from "./narrow-rounding.js";

const sound = definedArithmetic("f32");

type ValueAt = Parameters<PassArithmetic["reduce"]>[2];

/** Passes that compute with something else. */
function computing(name: string, parts: () => Partial<PassArithmetic>): Mutant {
  const backend = withRun((_, variant) => {
    const arithmetic = { ...sound, ...parts() };
    return (updates, count) => {
      runPasses([{ variant, updates: updates.slice(0, count) }], arithmetic);
    };
  });
  return { name, kind: "backend", target: () => target({ backend }) };
}

/** Reductions of values that are changed, or left out. */
function reducing(
  name: string,
  change: (valueAt: ValueAt, count: number, op: ReduceOp) => ValueAt,
): Mutant {
  return computing(name, () => ({
    reduce: (op, count, valueAt) => sound.reduce(op, count, change(valueAt, count, op)),
  }));
}

/** Backends that misread the text of a rule. Where the changed text is not valid, they read it correctly. */
function misreading(name: string, from: RegExp, to: string): Mutant {
  const backend = withRun((run, variant) => {
    const misread = edited(variant, from, to);
    return misread === undefined ? run : runOf(misread, variant);
  });
  return { name, kind: "backend", target: () => target({ backend }) };
}

function edited(variant: Variant, from: RegExp, to: string): Variant | undefined {
  const text = variant.perElement.source.replaceAll(from, to);
  if (text === variant.perElement.source) return undefined;
  try {
    return buildVariant({
      rule: variant.rule,
      label: variant.label,
      hyperparameters: variant.scalars,
      slots: Object.fromEntries(
        variant.slots.flatMap(({ name, initial, extent, isMetric }) =>
          isMetric ? [] : [[name, { initial, extent }]],
        ),
      ),
      metrics: metricsOf(variant),
      persistentScalars: {},
      matrices: variant.matrices,
      perStep: [{ text: "" }],
      perElement: [{ text }],
    });
  } catch {
    return undefined;
  }
}

/** Runs a variant with the scalars of another. */
function runOf(variant: Variant, { scalars }: Variant): Run {
  return (updates, count) => {
    const moved = updates.slice(0, count).map((update) => ({
      ...update,
      scalars: Float64Array.from(variant.scalars, (name) => update.scalars[scalars.indexOf(name)]),
    }));
    runPasses([{ variant, updates: moved }], sound);
  };
}

/** Computes the slot of the stage `ema` from the weights before the step. */
function averagingFirst(run: Run, { slots, scalars }: Variant): Run {
  const slot = slots.findIndex(({ name }) => name === "ema");
  const [decay, weight] = ["ema_decay", "ema_weight"].map((name) => scalars.indexOf(name));
  if (slot < 0 || decay < 0) return run;
  const valuesOf = (tensor: Tensor): Values => (tensor as Tensor & { view(): Values }).view();
  return (updates, count) => {
    const averages = updates.slice(0, count).map((update) => {
      const weights = valuesOf(update.parameter);
      return Float32Array.from(valuesOf(update.slots[slot]), (value, i) =>
        Math.fround(
          Math.fround(value * Math.fround(update.scalars[decay])) +
            Math.fround(weights[i] * Math.fround(update.scalars[weight])),
        ),
      );
    });
    run(updates, count);
    averages.forEach((average, k) => valuesOf(updates[k].slots[slot]).set(average));
  };
}

/** Reductions, and the passes of a step. */
export const passMutants: readonly Mutant[] = [
  reducing(
    "the last value is left out of a reduction",
    (valueAt, count) => (i) => (i === count - 1 && count > 1 ? undefined : valueAt(i)),
  ),
  reducing("the first value counts twice in a sum", (valueAt, count, op) => (i) => {
    const value = valueAt(i);
    return i === 0 && count > 1 && op === "sum" && value !== undefined ? 2 * value : value;
  }),
  reducing(
    "values after a multiple of 16 are left out",
    (valueAt, count) => (i) => (i >= 16 && i >= count - (count % 16) ? undefined : valueAt(i)),
  ),
  reducing("sums of magnitudes", (valueAt) => (i) => {
    const value = valueAt(i);
    return value === undefined ? undefined : Math.abs(value);
  }),
  computing("a maximum is at least 0", () => ({
    reduce: (op, count, valueAt) => {
      const result = sound.reduce(op, count, valueAt);
      return op === "maximum" ? Math.max(0, result) : result;
    },
  })),
  computing("sums in half precision", () => ({
    reduce: (op, count, valueAt) => half(sound.reduce(op, count, valueAt)),
  })),
  computing("a maximum over all tensors is that of the first", () => ({
    join: (op, values) => (op === "maximum" ? values[0] : sound.join(op, values)),
  })),
  computing("the last tensor is left out of a sum over all", () => ({
    join: (op, values) =>
      sound.join(op, op === "sum" ? values.slice(0, Math.max(1, values.length - 1)) : values),
  })),
  computing("a sum over all tensors is their maximum", () => ({
    join: (_, values) => sound.join("maximum", values),
  })),
  computing("reductions over all tensors are those of the step before", () => {
    let last: number | undefined;
    return {
      join: (op, values) => {
        const found = sound.join(op, values);
        const stale = last ?? found;
        last = found;
        return stale;
      },
    };
  }),
  computing("a Newton–Schulz iteration in half precision", () => ({ roundProducts: () => half })),
  misreading("a norm is a sum", /\bnorm(?=Row|Column|Tensor|All)/g, "sum"),
  misreading("a mean is a sum", /\bmean(?=Row|Column|Tensor|All)/g, "sum"),
  misreading("a sum is a mean", /\bsum(?=Row|Column|Tensor|All)/g, "mean"),
  misreading("a maximum is a sum", /\bmax(?=Row|Column|Tensor|All)/g, "sum"),
  misreading("a sum is a maximum", /\bsum(?=Row|Column|Tensor|All)/g, "max"),
  misreading("rows are taken for columns", /(?<=\b(sum|mean|max|norm))Row/g, "Column"),
  misreading("columns are taken for rows", /(?<=\b(sum|mean|max|norm))Column/g, "Row"),
  misreading("rows are taken for tensors", /(?<=\b(sum|mean|max|norm))Row/g, "Tensor"),
  misreading("tensors are taken for all", /(?<=\b(sum|mean|max|norm))Tensor/g, "All"),
  misreading("u is applied twice", /^p = p - u$/gm, "p = p - u - u"),
  misreading("u is added", /^p = p - u$/gm, "p = p + u"),
  misreading("b and c of an iteration are swapped", /-4\.775, 2\.0315/g, "2.0315, -4.775"),
  {
    name: "rows that a mask leaves out are part of reductions",
    kind: "backend",
    target: () =>
      target({
        backend: withRun((run) => (updates, count) => {
          for (const update of updates.slice(0, count)) {
            const { mask, parameter, slots } = update;
            if (mask === undefined || update.unselectedRows !== "keep") run([update], 1);
            else {
              const tensors = [parameter, ...slots] as unknown as { view(): Float32Array }[];
              const before = tensors.map((tensor) => tensor.view().slice());
              run([{ ...update, mask: undefined }], 1);
              const rows = mask as Uint32Array;
              tensors.forEach((tensor, k) => {
                const values = tensor.view();
                if (values.length % rows.length !== 0) return;
                values.forEach((_, i) => {
                  if (rows[Math.floor((i * rows.length) / values.length)] === 0)
                    values[i] = before[k][i];
                });
              });
            }
          }
        }),
      }),
  },
  {
    name: "the average of the weights is taken before their update",
    kind: "backend",
    target: () => target({ backend: withRun(averagingFirst) }),
  },
  {
    name: "rules that run together run one after the other",
    kind: "backend",
    target: () =>
      target({
        backend: withChange((backend) => {
          backend.runTogether = (runs) => {
            for (const { kernel, updates, count } of runs) kernel!.run(updates, count);
          };
        }),
      }),
  },
  {
    name: "of rules that run together, only the first does",
    kind: "backend",
    target: () =>
      target({
        backend: withChange((backend) => {
          const runTogether = backend.runTogether!.bind(backend);
          backend.runTogether = (runs) => {
            runTogether(runs.slice(0, 1));
          };
        }),
      }),
  },
];
