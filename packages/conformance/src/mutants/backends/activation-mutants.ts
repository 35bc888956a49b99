import type { ActivationKind, CheckedActivation } from "@gradstep/core";
import { sigmoid } from "../../layouts/activate.js";
import { extentOf } from "../../layouts/field.js";
import { hostOperations } from "../../layouts/laid-out-updates.js";
import type { Mutant } from "../mutant.js";
import { fillActivated, norm, operating, running } from "./faulty-activations.js";
import { faulty } from "./faulty-layouts.js";
import { bfloat16 } from "./narrow-rounding.js";

const { activate, decode, read } = hostOperations;

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

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** From here on, exp is infinite in f32. */
const overflow = 88.8;

/** Activations that are wrong, or applied at the wrong time. */
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
      for (const { target, activation } of copies)
        fillActivated(target, activation, before[i], parameter);
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
          fillActivated(target, activation, read(parameter), parameter);
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
];
