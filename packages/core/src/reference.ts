import type { BatchRun, Kernel, ParameterCopy, Tensor } from "./backend/backend.js";
import type { WrappingBackend } from "./backend/wrapping-backend.js";
import type { Values } from "./backend/memory.js";
import type { HostArray } from "./backend/host-array.js";
import { HostBackend } from "./backend/host-backend.js";
import type { Precision } from "./language/precision.js";
import { Packing } from "./packing/packing.js";
import { definedArithmetic, type PassArithmetic } from "./reference/pass-arithmetic.js";
import { runPasses } from "./reference/run-passes.js";
import { checkVariant, type Variant } from "./rule/variant.js";

export { definedArithmetic, type PassArithmetic } from "./reference/pass-arithmetic.js";
export { runPasses, type RuleRun } from "./reference/run-passes.js";

/**
 * The executable definition of the rule language: interprets a rule element by element and rounds every operation to
 * f32. Exact backends give these bits. Slow and simple on purpose.
 */
export function reference(): WrappingBackend<HostArray> {
  return new ReferenceBackend("reference", "f32", Float32Array);
}

/** The same in f64, scalars included: the expected values against which f32 backends are checked. */
export function oracle(): WrappingBackend<HostArray> {
  return new ReferenceBackend("oracle", "f64", Float64Array);
}

class ReferenceBackend<T extends Values> extends HostBackend<T> {
  readonly name: string;
  readonly precision: Precision;
  readonly exact: boolean;
  readonly #packing: Packing;
  readonly #variants = new WeakMap<Kernel, Variant>();
  readonly #arithmetic: PassArithmetic;

  constructor(name: string, precision: Precision, array: new (length: number) => T) {
    super(array);
    this.name = name;
    this.precision = precision;
    this.exact = precision === "f32";
    this.#packing = new Packing(this);
    this.#arithmetic = definedArithmetic(precision);
  }

  fillCopy(parameter: Tensor, copy: ParameterCopy): void {
    this.#packing.fillCopy(parameter, copy);
  }

  compile(variant: Variant): Kernel {
    checkVariant(variant);
    const kernel: Kernel = {
      source: variant.perElement.source,
      takesRowLists: true,
      run: (updates, count) => {
        runPasses([{ variant, updates: updates.slice(0, count) }], this.#arithmetic);
      },
    };
    this.#variants.set(kernel, variant);
    return this.#packing.kernel(variant, kernel);
  }

  runTogether(runs: readonly BatchRun[]): void {
    this.#packing.runTogether(runs, (plainRuns) => {
      const all = plainRuns.map(({ kernel, updates, count }) => ({
        variant: this.#variants.get(kernel!)!,
        updates: updates.slice(0, count),
      }));
      runPasses(all, this.#arithmetic);
    });
  }
}
