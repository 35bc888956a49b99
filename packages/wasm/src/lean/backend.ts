import { GradstepError, type Kernel, type Variant } from "@gradstep/core";
import type { LeanBackend, LeanVariant } from "@gradstep/core/lean";
import { Arena } from "../heap.js";
import { memoryImport, mostPages } from "../layout.js";
import { Table } from "../table.js";
import { WasmLeanTensor } from "./tensor.js";

/** What `createWasm` makes. */
export interface LeanWasm extends LeanBackend {
  tensor(shape: readonly number[], values?: ArrayLike<number>): WasmLeanTensor;
  staging(shape: readonly number[]): WasmLeanTensor;
}

/**
 * A backend on one thread with just these kernels, of `adamKernels()` and the like, for bundles in which each kilobyte
 * counts. Gives the bits of the f32 reference. It knows neither rows nor memory of others.
 *
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function createWasm(...modules: readonly WebAssembly.Module[]): LeanWasm {
  return new WasmBackend(modules);
}

class WasmBackend implements LeanWasm {
  readonly name = "wasm";
  readonly precision = "f32";
  readonly exact = true;
  readonly isLean = true;
  readonly #arena = new Arena(
    new WebAssembly.Memory({ initial: 0, maximum: mostPages }),
    mostPages * 65536,
  );
  readonly #table = new Table(this.#arena);
  readonly #kernels: Readonly<Record<string, (rows: number, count: number) => void>>;

  constructor(modules: readonly WebAssembly.Module[]) {
    if (!modules.every((one) => one instanceof WebAssembly.Module)) {
      throw new GradstepError("createWasm: expected compiled modules, such as adamKernels().", {
        code: "INVALID_HYPERPARAMETER",
      });
    }
    const imports = { [memoryImport.module]: { [memoryImport.name]: this.#arena.memory } };
    this.#kernels = Object.assign(
      {},
      ...modules.map((module) => new WebAssembly.Instance(module, imports).exports),
    );
  }

  tensor(shape: readonly number[], values?: ArrayLike<number>): WasmLeanTensor {
    const tensor = new WasmLeanTensor(this, this.#arena, shape);
    if (values !== undefined) tensor.write(values);
    return tensor;
  }

  staging(shape: readonly number[]): WasmLeanTensor {
    return this.tensor(shape);
  }

  compile({ label, slots, scalars, perElement }: LeanVariant | Variant): Kernel {
    const { fingerprint, source } = perElement;
    const run = this.#kernels[fingerprint];
    if (run === undefined) {
      throw new GradstepError(
        `No module has the kernel of ${label}; pass it to createWasm(), or use wasm() of @gradstep/wasm.`,
        { code: "UNSUPPORTED" },
      );
    }
    const table = this.#table;
    return {
      source,
      run: (updates, count) => {
        const rowLength = 4 + slots.length;
        let scalar = rowLength * count;
        table.reserve(scalar + scalars.length * count);
        const { address, words, floats } = table;
        let cell = 0;
        for (let i = 0; i < count; i += 1) {
          const { parameter, gradient, slots: own, scalars: values } = updates[i];
          words[cell] = parameter.size;
          words[cell + 1] = parameter.memory.byteOffset;
          words[cell + 2] = gradient.memory.byteOffset;
          for (let j = 0; j < own.length; j += 1) words[cell + 3 + j] = own[j].memory.byteOffset;
          cell += rowLength;
          words[cell - 1] = address + 4 * scalar;
          for (let j = 0; j < values.length; j += 1) floats[scalar + j] = values[j];
          scalar += values.length;
        }
        run(address, count);
      },
    };
  }
}
