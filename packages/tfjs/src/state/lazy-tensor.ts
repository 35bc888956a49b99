import { engine, keep, Tensor, type DataType } from "@tensorflow/tfjs-core";

/**
 * A tensor that is registered with TF.js only once TF.js computes with it. Until then it uses no memory of the backend
 * and is not counted: `model.save` reads the optimizer's weights and never disposes of them, which leaks one tensor per
 * save with TF.js's own optimizers.
 *
 * @param values are owned by the tensor from now on; the caller must not change them.
 */
export function lazyTensor(
  values: Float32Array | Int32Array,
  shape: readonly number[],
  dtype: Extract<DataType, "float32" | "int32">,
): Tensor {
  return new LazyTensor(values, shape, dtype);
}

class LazyTensor extends Tensor {
  readonly #values: Float32Array | Int32Array;
  #made: Tensor | undefined;

  constructor(
    values: Float32Array | Int32Array,
    shape: readonly number[],
    dtype: "float32" | "int32",
  ) {
    super([...shape], dtype, {}, engine()["nextTensorId"]());
    this.#values = values;
    Object.defineProperty(this, "dataId", { get: () => this.#make().dataId });
  }

  #make(): Tensor {
    this.throwIfDisposed();
    this.#made ??= keep(engine().makeTensor(this.#values.slice(), this.shape, this.dtype));
    return this.#made;
  }

  override data(): Promise<never> {
    this.throwIfDisposed();
    return Promise.resolve(this.#values as never);
  }

  override dataSync(): never {
    this.throwIfDisposed();
    return this.#values as never;
  }

  override dispose(): void {
    this.#made?.dispose();
    this.isDisposedInternal = true;
  }
}
