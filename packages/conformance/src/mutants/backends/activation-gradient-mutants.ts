import { HostTensor, type ActivationKind, type CheckedActivation } from "@gradstep/core";
import { sigmoid } from "../../layouts/activate.js";
import { hostOperations, rowsOf } from "../../layouts/laid-out-updates.js";
import type { Mutant } from "../mutant.js";
import { fillActivated, norm, operating, running } from "./faulty-activations.js";
import { faulty } from "./faulty-layouts.js";

const { activate, chainRule, decode, read, write } = hostOperations;
const f32 = Math.fround;

/** Another chain rule of a row. */
function deriving(
  name: string,
  kind: ActivationKind,
  change: (
    row: Float32Array,
    gradients: Float32Array,
    activation: CheckedActivation,
  ) => ArrayLike<number>,
): Mutant {
  return faulty(name, {
    operations: {
      chainRule: (activation, row, gradients) =>
        activation.kind === kind
          ? change(row, gradients, activation)
          : chainRule(activation, row, gradients),
    },
  });
}

const each = (
  row: Float32Array,
  gradients: Float32Array,
  derivative: (x: number) => number,
): Float32Array => row.map((x, i) => gradients[i] * f32(derivative(x)));

/** Derivatives of activations that are wrong, or applied at the wrong time. */
export const activationGradientMutants: readonly Mutant[] = [
  operating("the chain rule is left out", { chainRule: (_, __, gradients) => gradients }),
  operating("the chain rule is applied twice", {
    chainRule: (activation, row, gradients) =>
      chainRule(activation, row, Float32Array.from(chainRule(activation, row, gradients))),
  }),
  operating("the chain rule takes the activated values for the parameter", {
    chainRule: (activation, row, gradients) =>
      chainRule(activation, Float32Array.from(activate(activation, row)), gradients),
  }),
  running("the chain rule is applied to the change of the parameter", (updates, run) => {
    const before = updates.map(({ parameter }) => read(parameter));
    run(updates.map((update) => ({ ...update, gradientActivation: undefined, copies: [] })));
    updates.forEach(({ parameter, gradientActivation, copies }, i) => {
      if (gradientActivation !== undefined) {
        const rows = rowsOf(before[i], parameter.shape);
        const changes = rowsOf(
          read(parameter).map((value, k) => value - before[i][k]),
          parameter.shape,
        );
        write(
          parameter,
          Float32Array.from(
            rows.flatMap((row, r) =>
              Array.from(
                chainRule(gradientActivation, row, changes[r]),
                (change, k) => row[k] + change,
              ),
            ),
          ),
        );
      }
      for (const { target, activation } of copies)
        fillActivated(target, activation, read(parameter), parameter);
    });
  }),
  running("the chain rule is by the parameter after the step", (updates, run) => {
    const kept = updates.map(({ parameter, slots }) =>
      [parameter, ...slots].map((tensor) => [tensor, read(tensor)] as const),
    );
    run(updates.map((update) => ({ ...update, copies: [], clearsGradient: false })));
    const after = updates.map(({ parameter }) => read(parameter));
    for (const [tensor, values] of kept.flat()) write(tensor, values);
    run(
      updates.map((update, i) => {
        const { gradient, gradientActivation, parameter } = update;
        if (gradientActivation === undefined || update.rows !== undefined) return update;
        const gradients = rowsOf(decode(gradient), parameter.shape);
        const derived = rowsOf(after[i], parameter.shape).flatMap((row, r) =>
          Array.from(chainRule(gradientActivation, row, gradients[r])),
        );
        return {
          ...update,
          gradient: new HostTensor(gradient.backend, gradient.shape, Float32Array.from(derived)),
          gradientActivation: undefined,
        };
      }),
    );
    for (const { gradient, clearsGradient } of updates)
      if (clearsGradient) hostOperations.clear(gradient, undefined as never);
  }),
  running("the chain rule is that of the first parameter for all", (updates, run) => {
    run(
      updates.map((update) => ({
        ...update,
        gradientActivation: updates[0].gradientActivation,
      })),
    );
  }),
  deriving("exp: gradients are divided", "exp", (row, gradients) =>
    row.map((x, i) => gradients[i] / Math.exp(x)),
  ),
  deriving("sigmoid: the derivative is the sigmoid", "sigmoid", (row, gradients) =>
    each(row, gradients, sigmoid),
  ),
  deriving(
    "sigmoid: the derivative is s · (1 − s), which rounds off",
    "sigmoid",
    (row, gradients) =>
      each(row, gradients, (x) => f32(f32(sigmoid(x)) * f32(1 - f32(sigmoid(x))))),
  ),
  deriving("softplus: the derivative is that of −x", "softplus", (row, gradients) =>
    each(row, gradients, (x) => sigmoid(-x)),
  ),
  deriving("softplus: the derivative is a step", "softplus", (row, gradients) =>
    each(row, gradients, (x) => (x > 0 ? 1 : 0)),
  ),
  deriving("affine: gradients are as given", "affine", (_, gradients) => gradients),
  deriving("affine: gradients are divided by the scale", "affine", (_, gradients, { scale }) =>
    gradients.map((g) => g / scale),
  ),
  deriving(
    "affine: the offset is added to gradients",
    "affine",
    (_, gradients, { scale, offset }) => gradients.map((g) => g * scale + offset),
  ),
  deriving("normalize: gradients along the row stay", "normalize", (row, gradients) =>
    gradients.map((g) => g / norm(row)),
  ),
  deriving("normalize: gradients are not divided by the norm", "normalize", (row, gradients) =>
    Float32Array.from(chainRule(kindOf("normalize"), row, gradients)).map((g) => g * norm(row)),
  ),
  deriving("normalize: gradients are multiplied by the norm", "normalize", (row, gradients) =>
    Float32Array.from(chainRule(kindOf("normalize"), row, gradients)).map(
      (g) => g * norm(row) ** 2,
    ),
  ),
  deriving("normalize: the row is not normalized in the product", "normalize", (row, gradients) => {
    const along = row.reduce((sum, x, i) => sum + x * gradients[i], 0);
    return row.map((x, i) => (gradients[i] - x * along) / norm(row));
  }),
];

function kindOf(kind: ActivationKind): CheckedActivation {
  return { kind, scale: 1, offset: 0 };
}
