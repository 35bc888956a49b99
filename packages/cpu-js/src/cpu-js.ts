import {
  checkVariant,
  GradstepError,
  HostBackend,
  Packing,
  show,
  type WrapOptions,
  type BatchRun,
  type HostArray,
  type HostTensor,
  type Kernel,
  type LaidOutTensor,
  type ParameterCopy,
  type Tensor,
  type Variant,
  type WrappingBackend,
} from "@gradstep/core";
import { checkOptions, checkSwitch, isArray, propertyOf } from "@gradstep/core/internal";
import { isOneLoop } from "./passes/array-names.js";
import { bindKernel } from "./bind-kernel.js";
import type { PassCompiler } from "./passes/compile-passes.js";
import { interpreter } from "./interpreter.js";
import type {
  CompiledFunctions,
  KernelFunction,
  KernelTable,
  PassFunctions,
} from "./kernel-table.js";
import type { TemporaryArray } from "./passes/temporary-array.js";

/** Options of `cpuJs`. */
export interface CpuJsOptions {
  /** Tables of compiled kernels, generated for the same `exact`. Variants that are in none of them are interpreted. */
  readonly kernels?: readonly KernelTable[] | undefined;
  /**
   * Rounds every operation to f32, which gives the bits of the reference. Otherwise temporaries are f64 and only stores
   * round, which is faster and more accurate. False if left out.
   */
  readonly exact?: boolean | undefined;
}

/** The names of `CpuJsOptions`. */
export const cpuJsOptions = ["exact", "kernels"];

/** Options of `createCpuJs`. */
export interface CreateCpuJsOptions extends CpuJsOptions {
  /** `passes` of `@gradstep/cpu-js/kernels`. Without it there are only elementwise rules, in a smaller bundle. */
  readonly passes?: PassCompiler | undefined;
}

/**
 * The backend in plain JavaScript. Its tensors can wrap caller-owned arrays: Float32Array, and for gradients, copies and
 * masks Uint16Array (f16), Int32Array and Uint32Array, with any distance between rows.
 */
export interface CpuJs extends WrappingBackend<HostArray> {
  tensor(shape: readonly number[], values?: ArrayLike<number>): HostTensor<Float32Array>;
  wrap(
    memory: Float32Array,
    options?: WrapOptions & { readonly rowStride?: undefined },
  ): HostTensor<Float32Array>;
  wrap(memory: HostArray, options?: WrapOptions): HostTensor<Float32Array> | LaidOutTensor;
  /** Does nothing, since the backend holds no resources. For code that works with any backend. */
  dispose(): void;
}

/**
 * A backend with these kernels only, for small bundles.
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` (a table for the other value of `exact`)
 */
export function createCpuJs(options: CreateCpuJsOptions = {}): CpuJs {
  return new CpuJsBackend(options);
}

function checkTables(tables: unknown): readonly KernelTable[] {
  const isTable = (table: unknown): boolean => {
    const listed = propertyOf(table, "kernels");
    return typeof listed === "object" && listed !== null;
  };
  if (isArray(tables) && [...tables].every(isTable)) return tables as readonly KernelTable[];
  throw new GradstepError(
    "cpuJs: kernels is not a list of kernel tables; expected tables from modules that generate() wrote.",
    { code: "INVALID_HYPERPARAMETER" },
  );
}

class CpuJsBackend extends HostBackend<Float32Array> implements CpuJs {
  readonly name: string;
  readonly precision = "f32";
  readonly exact: boolean;
  readonly runTogether?: (runs: readonly BatchRun[]) => void;
  readonly #passes: PassCompiler | undefined;
  readonly #functions: CompiledFunctions;
  readonly #Temporary: TemporaryArray;
  readonly #kernels = new WeakMap<Variant, Kernel>();
  readonly #packing = new Packing(this);

  constructor(options: CreateCpuJsOptions) {
    super(Float32Array);
    checkOptions("cpuJs", options, [...cpuJsOptions, "passes"]);
    const { kernels = [], exact = false, passes } = options;
    checkSwitch("cpuJs", "exact", exact);
    if (passes !== undefined && typeof passes?.compile !== "function") {
      throw new GradstepError(
        `cpuJs: passes is ${show(passes)}; expected \`passes\` of @gradstep/cpu-js/kernels.`,
        { code: "INVALID_HYPERPARAMETER" },
      );
    }
    const functions = new Map<string, KernelFunction | PassFunctions>();
    for (const table of checkTables(kernels)) {
      if (table.exact !== exact) {
        throw new GradstepError(
          `cpuJs: got kernels generated with exact: ${table.exact}; expected exact: ${exact}, as for the backend.`,
          {
            code: "INVALID_HYPERPARAMETER",
          },
        );
      }
      for (const [fingerprint, kernel] of Object.entries(table.kernels))
        functions.set(fingerprint, kernel);
    }
    this.#functions = functions;
    this.#passes = passes;
    if (passes !== undefined) {
      // One function for all steps, since they allocate nothing.
      const runPlain = (runs: readonly BatchRun[]): void => passes.runTogether(runs);
      this.runTogether = (runs) => this.#packing.runTogether(runs, runPlain);
    }
    this.exact = exact;
    this.#Temporary = exact ? Float32Array : Float64Array;
    this.name = exact ? "cpu-js-exact" : "cpu-js";
  }

  fillCopy(parameter: Tensor, copy: ParameterCopy): void {
    this.#packing.fillCopy(parameter, copy);
  }

  dispose(): void {}

  compile(variant: Variant): Kernel {
    let kernel = this.#kernels.get(variant);
    if (kernel === undefined) {
      checkVariant(variant);
      const plain =
        this.#passes?.compile(variant, this.#functions, this.#Temporary) ??
        this.#compileElements(variant);
      kernel = this.#packing.kernel(variant, plain);
      this.#kernels.set(variant, kernel);
    }
    return kernel;
  }

  /** @throws {GradstepError} `UNSUPPORTED` for a variant of several passes */
  #compileElements(variant: Variant): Kernel {
    if (!isOneLoop(variant)) {
      throw new GradstepError(
        `${variant.label} has reductions, but createCpuJs() was called without \`passes\`. Call createCpuJs({ kernels, passes }), with \`passes\` of @gradstep/cpu-js/kernels.`,
        { code: "UNSUPPORTED" },
      );
    }
    const found = this.#functions.get(variant.perElement.fingerprint);
    return bindKernel(
      variant,
      typeof found === "function" ? found : interpreter(variant, this.#Temporary),
    );
  }
}
