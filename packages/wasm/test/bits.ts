import type { Backend, Update, Variant } from "@gradstep/core";

/** One update of a variant. */
interface Case {
  readonly variant: Variant;
  /** `p`, `g`, then the slots. */
  readonly arrays: readonly Float32Array[];
  readonly scalars: Float64Array;
}

/** Runs the update on a backend. @returns the arrays afterwards */
export async function run(
  backend: Backend,
  { variant, arrays, scalars }: Case,
): Promise<Float32Array[]> {
  const tensors = arrays.map((values) => backend.tensor([values.length], values));
  const [parameter, gradient, ...slots] = tensors;
  const update: Update = {
    parameter,
    copies: [],
    gradientActivation: undefined,
    clearsGradient: false,
    gradient,
    mask: undefined,
    unselectedRows: "keep",
    slots,
    scalars,
  };
  backend.compile(variant).run([update], 1);
  const results = await Promise.all(tensors.map((tensor) => tensor.read()));
  for (const tensor of tensors) tensor.free();
  return results as Float32Array[];
}

/** The index of the first element whose bits differ; −1 if there is none. All NaN are equal. */
export function firstDifference(a: Float32Array, b: Float32Array): number {
  const [x, y] = [new Uint32Array(a.buffer, a.byteOffset, a.length), new Uint32Array(b.buffer)];
  for (let i = 0; i < x.length; i += 1) {
    if (x[i] !== y[i] && !(Number.isNaN(a[i]) && Number.isNaN(b[i]))) return i;
  }
  return -1;
}
