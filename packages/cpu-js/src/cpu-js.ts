import {
  checkOptions,
  GradstepError,
  HostTensor,
  remapRows,
  show,
  wrapArray,
  type BatchRun,
  type Kernel,
  type RowMove,
  type RowSources,
  type StagingTensor,
  type Tensor,
  type Variant,
  type WrapOptions,
  type WrappingBackend,
} from "@gradstep/core";
import { compileVariant, type CompiledFunctions } from "./compile-variant.js";
import type { KernelTable } from "./kernel-table.js";
import { runTogether } from "./pass-kernel.js";

/** Options of `cpuJs` and `createCpuJs`. */
export interface CpuJsOptions {
  /** Tables of compiled kernels, generated for the same `exact`. Variants that are in none of them are interpreted. */
  readonly kernels?: readonly KernelTable[];
  /**
   * Rounds every operation to f32, which gives the bits of the reference. Otherwise temporaries are f64 and only stores
   * round, which is faster and more accurate. False if left out.
   */
  readonly exact?: boolean;
}

/** The names of `CpuJsOptions`. */
export const cpuJsOptions = ["exact", "kernels"];

/** The backend in plain JavaScript. Its tensors can wrap caller-owned Float32Arrays. */
export interface CpuJs extends WrappingBackend<Float32Array> {
  tensor(shape: readonly number[], values?: ArrayLike<number>): HostTensor;
  wrap(memory: Float32Array, options?: WrapOptions): HostTensor;
  /** Does nothing, since the backend holds no resources. For code that works with any backend. */
  dispose(): void;
}

/**
 * A backend with these kernels only, for small bundles.
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` (a table for the other value of `exact`)
 */
export function createCpuJs(options: CpuJsOptions = {}): CpuJs {
  return new CpuJsBackend(options);
}

function checkTables(tables: unknown): readonly KernelTable[] {
  const isTable = (table: Partial<KernelTable> | null | undefined): boolean =>
    typeof table?.kernels === "object" && table.kernels !== null;
  if (Array.isArray(tables) && [...tables].every(isTable)) return tables;
  throw new GradstepError(
    "cpuJs: kernels is not a list of kernel tables; expected tables from modules that generate() wrote.",
    { code: "INVALID_HYPERPARAMETER" },
  );
}

class CpuJsBackend implements CpuJs {
  readonly name: string;
  readonly precision = "f32";
  readonly exact: boolean;
  readonly #functions: CompiledFunctions = new Map();
  readonly #kernels = new WeakMap<Variant, Kernel>();

  constructor(options: CpuJsOptions) {
    checkOptions("cpuJs", options, cpuJsOptions);
    const { kernels = [], exact = false } = options;
    if (typeof exact !== "boolean") {
      throw new GradstepError(`cpuJs: exact is ${show(exact)}; expected true or false.`, {
        code: "INVALID_HYPERPARAMETER",
      });
    }
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
        this.#functions.set(fingerprint, kernel);
    }
    this.exact = exact;
    this.name = exact ? "cpu-js-exact" : "cpu-js";
  }

  tensor(shape: readonly number[], values?: ArrayLike<number>): HostTensor {
    const tensor = HostTensor.allocate(this, Float32Array, shape);
    if (values !== undefined) tensor.write(values);
    return tensor;
  }

  staging(shape: readonly number[]): StagingTensor {
    return new HostTensor(this, shape);
  }

  wrap(memory: Float32Array, options?: WrapOptions): HostTensor {
    const { shape, values, reserved } = wrapArray(Float32Array, memory, options);
    return new HostTensor(this, shape, values, reserved);
  }

  remap(moves: readonly RowMove[], sources: RowSources): void {
    remapRows(moves, sources);
  }

  copy(source: Tensor, target: Tensor): void {
    target.write((source as HostTensor).view());
  }

  dispose(): void {}

  compile(variant: Variant): Kernel {
    let kernel = this.#kernels.get(variant);
    if (kernel === undefined) {
      kernel = compileVariant(variant, this.#functions, this.exact);
      this.#kernels.set(variant, kernel);
    }
    return kernel;
  }

  runTogether(runs: readonly BatchRun[]): void {
    runTogether(runs);
  }
}
