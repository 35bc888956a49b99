import {
  HostTensor,
  type ActivationKind,
  type CheckedActivation,
  type Tensor,
  type Update,
} from "@gradstep/core";
import { sigmoid } from "../../layouts/activate.js";
import { extentOf } from "../../layouts/field.js";
import { hostOperations, rowsOf, type LayoutOperations } from "../../layouts/laid-out-updates.js";
import type { Mutant } from "../mutant.js";
import { faulty, type RunUpdates } from "./faulty-layouts.js";
import { bfloat16 } from "./narrow-rounding.js";

const { activate, chainRule, decode, read, write } = hostOperations;
const f32 = Math.fround;
const norm = (row: Float32Array): number =>
  Math.max(Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)), 1e-12);

/** Another activation of a row. */
function activating(
  name: string,
  kind: ActivationKind,
  change: (row: Float32Array, activation: CheckedActivation) => ArrayLike<number>,
): Mutant {
  return faulty(name, {
    operations: {
      activate: (activation, row) =>
        activation.kind === kind ? change(row, activation) : activate(activation, row),
    },
  });
}

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

function operating(name: string, operations: Partial<LayoutOperations>): Mutant {
  return faulty(name, { operations });
}

function running(name: string, run: (updates: readonly Update[], run: RunUpdates) => void): Mutant {
  return faulty(name, { run });
}

const each = (
  row: Float32Array,
  gradients: Float32Array,
  derivative: (x: number) => number,
): Float32Array => row.map((x, i) => gradients[i] * f32(derivative(x)));

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** From here on, exp is infinite in f32. */
const overflow = 88.8;

/** Activations and derivatives that are wrong, or applied at the wrong time. */
export const activationMutants: readonly Mutant[] = [
  operating("copies are not activated", { activate: (_, row) => row }),
  activating("exp is a power of 2", "exp", (row) => row.map((x) => 2 ** x)),
  activating("exp is 1 + x", "exp", (row) => row.map((x) => 1 + x)),
  activating("exp does not underflow", "exp", (row) =>
    row.map((x) => Math.max(Math.exp(x), 2 ** -126)),
  ),
  activating("exp ends at 80", "exp", (row) => row.map((x) => Math.exp(Math.min(x, 80)))),
  activating("sigmoid of the negative value", "sigmoid", (row) => row.map((x) => sigmoid(-x))),
  activating("sigmoid is 0 for large negative values", "sigmoid", (row) =>
    row.map((x) => (x < -17 ? 0 : sigmoid(x))),
  ),
  activating("sigmoid is NaN where exp overflows", "sigmoid", (row) =>
    row.map((x) => (x > overflow ? Number.NaN : sigmoid(x))),
  ),
  activating("sigmoid is hard", "sigmoid", (row) =>
    row.map((x) => Math.min(1, Math.max(0, x / 4 + 0.5))),
  ),
  activating("softplus overflows with exp", "softplus", (row) =>
    row.map((x) => (x > overflow ? Infinity : softplus(x))),
  ),
  activating("softplus is 0 for large negative values", "softplus", (row) =>
    row.map((x) => (x < -17 ? 0 : softplus(x))),
  ),
  activating("softplus is max(x, 0) beyond 10", "softplus", (row) =>
    row.map((x) => (Math.abs(x) > 10 ? Math.max(x, 0) : softplus(x))),
  ),
  activating("softplus is relu", "softplus", (row) => row.map((x) => Math.max(x, 0))),
  activating("affine has no offset", "affine", (row, { scale }) => row.map((x) => x * scale)),
  activating("affine has no scale", "affine", (row, { offset }) => row.map((x) => x + offset)),
  activating("affine adds the offset first", "affine", (row, { scale, offset }) =>
    row.map((x) => (x + offset) * scale),
  ),
  activating("normalize divides by the square of the norm", "normalize", (row) =>
    row.map((x) => x / norm(row) ** 2),
  ),
  activating("normalize divides by the sum of magnitudes", "normalize", (row) => {
    const sum = row.reduce((total, x) => total + Math.abs(x), 0);
    return row.map((x) => x / Math.max(sum, 1e-12));
  }),
  activating("normalize of zeros is NaN", "normalize", (row) => {
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    return row.map((x) => x / length);
  }),
  activating("normalize is by value", "normalize", (row) => row.map((x) => Math.sign(x))),
  activating("normalize leaves short rows as they are", "normalize", (row) =>
    norm(row) < 1e-6 ? row : row.map((x) => x / norm(row)),
  ),
  activating("activated copies have 8 bits of fraction", "sigmoid", (row) =>
    row.map((x) => bfloat16(sigmoid(x))),
  ),
  faulty("normalize is by column", {
    run: (updates, run) => {
      run(updates.map((update) => ({ ...update, copies: [] })));
      for (const { parameter, copies } of updates)
        for (const { target, activation } of copies) {
          const values = read(parameter);
          const { rows, columns } = extentOf(parameter.shape);
          const activated = new Float32Array(values.length);
          const isByColumn = activation.kind === "normalize";
          const lines = isByColumn ? columns : rows;
          for (let line = 0; line < lines; line += 1) {
            const indices = Array.from({ length: values.length / lines }, (_, i) =>
              isByColumn ? i * columns + line : line * columns + i,
            );
            const results = activate(
              activation,
              Float32Array.from(indices, (i) => values[i]),
            );
            indices.forEach((index, i) => {
              activated[index] = results[i];
            });
          }
          hostOperations.fill(target, activated);
        }
    },
  }),
  running("copies are of the parameter before the step", (updates, run) => {
    const before = updates.map(({ parameter }) => read(parameter));
    run(updates.map((update) => ({ ...update, copies: [] })));
    updates.forEach(({ parameter, copies }, i) => {
      for (const { target, activation } of copies) fill(target, activation, before[i], parameter);
    });
  }),
  running("a parameter has one copy", (updates, run) => {
    run(updates.map((update) => ({ ...update, copies: update.copies.slice(0, 1) })));
  }),
  running("all copies have the activation of the first", (updates, run) => {
    run(
      updates.map((update) => ({
        ...update,
        copies: update.copies.map(({ target }) => ({
          target,
          activation: update.copies[0].activation,
        })),
      })),
    );
  }),
  running("copies are not filled by steps", (updates, run) => {
    run(updates.map((update) => ({ ...update, copies: [] })));
  }),
  running(
    "copies are filled in selected rows alone, whatever happens to the others",
    (updates, run) => {
      run(updates.map((update) => ({ ...update, copies: [] })));
      for (const { parameter, copies, mask } of updates)
        for (const { target, activation } of copies) {
          const columns = parameter.size / (parameter.shape[0] ?? 1);
          const before = decode(target);
          fill(target, activation, read(parameter), parameter);
          if (mask === undefined) continue;
          const filled = decode(target);
          hostOperations.fill(
            target,
            filled.map((value, i) =>
              (mask as Uint32Array)[Math.floor(i / columns)] === 0 ? before[i] : value,
            ),
          );
        }
    },
  ),
  running("copies of rows that are not selected become 0", (updates, run) => {
    run(updates);
    for (const { parameter, copies, mask } of updates) {
      if (mask === undefined) continue;
      const columns = parameter.size / (parameter.shape[0] ?? 1);
      for (const { target } of copies)
        hostOperations.fill(
          target,
          decode(target).map((value, i) =>
            (mask as Uint32Array)[Math.floor(i / columns)] === 0 ? 0 : value,
          ),
        );
    }
  }),

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
        fill(target, activation, read(parameter), parameter);
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

/** Fills a copy with activated values. */
function fill(
  target: Tensor,
  activation: CheckedActivation,
  values: Float32Array,
  { shape }: Tensor,
): void {
  hostOperations.fill(
    target,
    rowsOf(values, shape).flatMap((row) => Array.from(activate(activation, row))),
  );
}
