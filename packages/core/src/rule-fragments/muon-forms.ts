/** By the shape of a matrix: what the libraries multiply the update of Muon by. */
export const scales = {
  rms: "sqrt(max(rows, columns)) * rmsRate",
  original: "sqrt(max(1, rows / columns))",
  transposed: "sqrt(max(1, columns / rows))",
  none: "1",
} as const;

/** How they compute the momentum m, and x from it. */
export const momentumForms = ["keras", "torch", "optax"] as const;

type MomentumForm = (typeof momentumForms)[number];

/** The weight of the gradient in m; those of the gradient and of m in a Nesterov step; that of m in another. */
const weights: Record<
  MomentumForm,
  { readonly intake: string; readonly nesterov: readonly [string, string]; readonly plain: string }
> = {
  keras: { intake: "1", nesterov: ["1", "momentum"], plain: "1" },
  torch: { intake: "1 - momentum", nesterov: ["1 - momentum", "momentum"], plain: "1" },
  optax: {
    intake: "1 - momentum",
    nesterov: ["(1 - momentum) / (1 - momentum ** t)", "momentum / (1 - momentum ** (t + 1))"],
    plain: "1 / (1 - momentum ** t)",
  },
};

/** The `perStep` statements for the momentum, and for what prevents a division by 0. */
export function momentumScalars(form: MomentumForm, nesterov: boolean): string {
  const { intake, nesterov: both, plain } = weights[form];
  const [weightG, weightM] = nesterov ? both : ["0", plain];
  // PyTorch has a smallest norm; the others add to it.
  const [added, least] = form === "torch" ? ["0", "epsilon"] : ["epsilon", "0"];
  return `
    intake = ${intake}
    weightG = ${weightG}
    weightM = ${weightM}
    addedNorm = ${added}
    leastNorm = ${least}`;
}
