import {
  createOptimizer,
  GradstepError,
  variantOf,
  type Gradients,
  type OptimizerOptions,
  type OptimizerSpec,
  type StepOptions,
  type Tensor,
  type WrappingBackend,
} from "@gradstep/core";
import { target } from "../mutable-target.js";
import type { Mutant } from "../mutant.js";
import { without, withOptions, wrapping } from "./changed-optimizers.js";

type Call = readonly [gradients: Gradients, options?: StepOptions];

/** A mutant that is one for some optimizers only; these are made with other options. */
function of(
  { name, kind, target: mutated }: Mutant,
  isAffected: (options: OptimizerOptions, spec: OptimizerSpec) => boolean,
  change: (options: OptimizerOptions) => OptimizerOptions = (options) => options,
): Mutant {
  const create: typeof createOptimizer = (spec, parameters, options = {}) =>
    isAffected(options as OptimizerOptions, spec)
      ? mutated().create(spec, parameters, change(options as OptimizerOptions) as typeof options)
      : createOptimizer(spec, parameters, options);
  return { name, kind, target: () => target({ create }) };
}

const isFinite = (gradient: Gradients[string]): boolean => {
  const values = gradient && ("indices" in gradient ? gradient.values : gradient);
  return !ArrayBuffer.isView(values) || values.every(Number.isFinite);
};

const hasBadValue = (gradients: Gradients): boolean =>
  !Object.values(gradients ?? {}).every(isFinite);

/** Steps with a gradient that is not finite change no value, but count. @param end what is thrown after them */
function counting(
  name: string,
  isAffected: (options: OptimizerOptions, spec: OptimizerSpec) => boolean,
  end?: GradstepError,
): Mutant {
  const counts = wrapping(name, (optimizer, parameters) => {
    const [{ backend }] = Object.values(parameters);
    const skip = (backend as WrappingBackend<Uint32Array>).wrap(Uint32Array.of(1), {
      shape: [1],
      dtype: "u32",
    });
    let skippedSteps = 0;
    return {
      step: (...[gradients, options]: Call) => {
        const isBad = hasBadValue(gradients);
        optimizer.step(gradients, isBad ? { ...options, skip } : options);
        if (!isBad) return;
        skippedSteps += 1;
        if (end !== undefined) throw end;
      },
      metrics: async () => ({ ...(await optimizer.metrics()), skippedSteps }),
    };
  });
  return of(counts, isAffected, (options) => without(options, "nonFinite"));
}

/** Replaces masks in tensors, while several calls make a step. */
function combining(
  name: string,
  change: (mask: Tensor, first: Tensor) => Tensor | undefined,
): Mutant {
  const combined = wrapping(name, (optimizer) => {
    let first: Tensor | undefined;
    return {
      step: (...[gradients, options]: Call) => {
        if (optimizer.microSteps === 0) first = undefined;
        const { rows, ...rest } = options ?? {};
        if (!isMaskTensor(rows)) return optimizer.step(gradients, options);
        first ??= rows;
        const changed = change(rows, first);
        optimizer.step(gradients, changed === undefined ? rest : { ...rest, rows: changed });
      },
    };
  });
  return of(combined, ({ accumulate = 1 }) => accumulate > 1);
}

function isMaskTensor(rows: StepOptions["rows"]): rows is Tensor {
  return rows !== undefined && typeof (rows as Tensor).read === "function";
}

const hasEvery = ({ groups = [] }: OptimizerOptions): boolean =>
  groups.some(({ every = 1 }) => every > 1);

const keepsScalars = (spec: OptimizerSpec): boolean =>
  Object.keys(variantOf(spec).persistentScalars).length > 0;

/** What is left of steps that were skipped, and masks whose rows a device combines. */
export const skippedStepMutants: readonly Mutant[] = [
  counting(
    "skipped steps count for the scalars that a rule keeps",
    ({ nonFinite }, spec) => nonFinite === "skip" && keepsScalars(spec),
  ),
  counting(
    "skipped steps count where groups are updated every few steps",
    (options) => options.nonFinite === "skip" && hasEvery(options),
  ),
  counting(
    "skipped steps count for the scalars of a rule whose groups are updated every few steps",
    (options, spec) =>
      options.nonFinite === "skip" &&
      options.lossScale === undefined &&
      hasEvery(options) &&
      keepsScalars(spec),
  ),
  of(
    wrapping("a gradient of a skipped step is used in a step that has none", (optimizer) => {
      let left: Gradients = {};
      return {
        step: (...[gradients, options]: Call) => {
          optimizer.step({ ...left, ...gradients }, options);
          left = hasBadValue(gradients)
            ? Object.fromEntries(Object.entries(gradients).filter(([, one]) => isFinite(one)))
            : {};
        },
      };
    }),
    (options) => options.lossScale !== undefined && hasEvery(options),
  ),
  of(
    wrapping("rows count steps that are skipped", (optimizer) => {
      const rows: number[] = [];
      return {
        step: (...[gradients, options]: Call) => {
          const { w } = gradients as Readonly<Record<string, unknown>>;
          const { indices } = (w ?? {}) as { readonly indices?: Iterable<number> };
          if (hasBadValue(gradients)) rows.push(...new Set(indices));
          optimizer.step(gradients, options);
        },
        state: async () => {
          const state = await optimizer.state();
          const w = state.rowSteps?.["w"]?.slice();
          for (const row of rows) if (w !== undefined) w[row] += 1;
          return w === undefined ? state : { ...state, rowSteps: { ...state.rowSteps, w } };
        },
      };
    }),
    ({ nonFinite, rowSteps }) => nonFinite === "skip" && rowSteps === true,
  ),
  counting(
    "a step that is refused counts",
    ({ nonFinite }) => nonFinite === "throw",
    new GradstepError("A gradient is not finite.", { code: "NON_FINITE" }),
  ),
  of(
    wrapping("a gradient whose group takes no part in a step skips it", (optimizer) => ({
      step: (...[gradients, options]: Call) =>
        optimizer.step(
          hasBadValue(gradients)
            ? Object.fromEntries(
                Object.entries(gradients).map(([name, one]) => [
                  name,
                  ArrayBuffer.isView(one) ? Float32Array.from(one, () => Number.NaN) : one,
                ]),
              )
            : gradients,
          options,
        ),
    })),
    hasEvery,
  ),
  of(
    withOptions("lazy sparse gradients are taken for finite", (options) =>
      without(options, "nonFinite"),
    ),
    ({ sparse, nonFinite }) => sparse === "lazy" && nonFinite === "skip",
  ),
  of(
    withOptions("a loss scale makes lazy sparse gradients dense", (options) => ({
      ...options,
      sparse: "dense",
      rowSteps: false,
    })),
    ({ sparse, lossScale }) => sparse === "lazy" && lossScale !== undefined,
  ),
  of(
    wrapping("rows that were selected in a skipped step count in the next one", (optimizer) => {
      let [isBad, kept] = [false, [] as boolean[]];
      return {
        step: (...[gradients, options]: Call) => {
          const mask = (options?.rows as Readonly<Record<string, unknown>> | undefined)?.["w"];
          if (!(mask instanceof Uint32Array)) return optimizer.step(gradients, options);
          if (optimizer.microSteps === 0 && !isBad) kept = [];
          if (optimizer.microSteps === 0) isBad = false;
          isBad ||= hasBadValue(gradients);
          const rows = mask.map((one, row) => one || +(kept[row] ?? false));
          if (isBad) kept = [...rows].map((one) => one !== 0);
          optimizer.step(gradients, { ...options, rows: { w: rows } });
        },
      };
    }),
    ({ accumulate = 1, nonFinite }) => accumulate > 1 && nonFinite === "skip",
  ),
  combining("of masks in tensors, that of the first call counts in all", (_, first) => first),
  combining("a mask in a tensor selects all rows where several calls make a step", () => undefined),
];
