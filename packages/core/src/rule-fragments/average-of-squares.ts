/**
 * How the moving average v of g² is written. In exact arithmetic all forms are equal. In f32 they round differently, and
 * differ most where g² overflows although g is finite.
 *
 * | form | statement | libraries |
 * |---|---|---|
 * | `difference` | v + (g² − v)·(1 − β) | Keras with TensorFlow or JAX; after an overflow, v is NaN from the next step on |
 * | `sum` | β·v + ((1 − β)·g)·g | PyTorch; overflows later by a factor of 1/√(1 − β), then v stays ∞ |
 * | `sum-of-squares` | β·v + (1 − β)·g² | TF.js, Optax, Keras with PyTorch; after an overflow, v stays ∞ |
 *
 * Where v is ∞, the element stops moving.
 */
export const averageForms = ["difference", "sum", "sum-of-squares"] as const;

type AverageForm = (typeof averageForms)[number];

/** The `perStep` statements for the factors of both sums, so that one kernel serves both. @param weight 1 − β */
export function squareFactors(form: AverageForm, weight: string): string {
  if (form === "difference") return "";
  return form === "sum"
    ? `factorBefore = ${weight}; factorAfter = 1`
    : `factorBefore = 1; factorAfter = ${weight}`;
}

/**
 * The `perElement` statement that updates v.
 * @param decay β
 * @param weight 1 − β
 * @param names `average` is the slot, `value` what is squared
 */
export function averageOfSquares(
  form: AverageForm,
  decay: string,
  weight: string,
  { average = "v", value = "g" }: { readonly average?: string; readonly value?: string } = {},
): string {
  return form === "difference"
    ? `${average} = ${average} + (${value} * ${value} - ${average}) * ${weight}`
    : `${average} = ${average} * ${decay} + ${value} * factorBefore * ${value} * factorAfter`;
}
