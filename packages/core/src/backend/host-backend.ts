import type { Precision } from "../language/precision.js";
import type { Variant } from "../rule/variant.js";
import type {
  Kernel,
  ParameterCopy,
  RowMove,
  RowSources,
  StagingTensor,
  Tensor,
} from "./backend.js";
import type { WrappingBackend, WrapOptions } from "./wrapping-backend.js";
import type { Values } from "./memory.js";
import { copyTensor } from "./copy-tensor.js";
import type { HostArray } from "./host-array.js";
import { remapRows } from "./host-row-remap.js";
import { HostTensor } from "./host-tensor.js";
import type { LaidOutTensor } from "./laid-out-tensor.js";
import { wrappedTensor } from "./wrapped-tensor.js";

/** The part of a backend in host memory that is the same for all of them: tensors over typed arrays, and moves of rows. */
export abstract class HostBackend<T extends Values> implements WrappingBackend<HostArray> {
  abstract readonly name: string;
  abstract readonly precision: Precision;
  abstract readonly exact: boolean;
  readonly takesLayouts = true;
  readonly #array: new (length: number) => T;

  /** @param array the type of its plain tensors */
  constructor(array: new (length: number) => T) {
    this.#array = array;
  }

  abstract compile(variant: Variant): Kernel;

  abstract fillCopy(parameter: Tensor, copy: ParameterCopy): void;

  tensor(shape: readonly number[], values?: ArrayLike<number>): HostTensor<T> {
    const tensor = HostTensor.allocate(this, this.#array, shape);
    if (values !== undefined) tensor.write(values);
    return tensor;
  }

  staging(shape: readonly number[]): StagingTensor {
    return new HostTensor(this, shape);
  }

  wrap(memory: T, options?: WrapOptions & { readonly rowStride?: undefined }): HostTensor<T>;
  wrap(memory: HostArray, options?: WrapOptions): HostTensor<T> | LaidOutTensor;
  wrap(memory: HostArray, options?: WrapOptions): HostTensor<T> | LaidOutTensor {
    return wrappedTensor<T, HostTensor<T>>(this, memory, options, {
      makePlain: (shape, values, reserved) => new HostTensor(this, shape, values, reserved),
    });
  }

  remap(moves: readonly RowMove[], sources: RowSources): void {
    remapRows(moves, sources);
  }

  copy(source: Tensor, target: Tensor): void {
    copyTensor(source, target);
  }
}
