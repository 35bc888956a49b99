import { GradstepError, type OptimizerState } from "@gradstep/core";
import type { TfjsConfig } from "@gradstep/core/interop";
import { GroupVariants } from "../group-variants.js";
import { withoutUniquenessNumber } from "../state/name-numbering.js";
import { weightsOf } from "../state/write-weights.js";
import type { NamedTensor } from "../step/gradients.js";
import type { TfjsName } from "../tfjs-optimizers/kinds.js";
import { withMomenta } from "../tfjs-optimizers/momenta.js";
import { specOf } from "../tfjs-optimizers/tfjs-spec.js";

type Shapes = readonly (readonly [name: string, shape: readonly number[]])[];

/**
 * A state as the weights of one of TF.js's own optimizers, which assigns them by position: the variables in the order of
 * the model, with the first values of slots for those that the state does not have.
 *
 * @param target what `toTfjs` returned.
 * @param order the variables in the order in which TF.js's steps have them; others of the state follow.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function tfjsWeights(
  state: OptimizerState,
  { name, options }: TfjsConfig,
  order: Shapes = [],
): NamedTensor[] {
  const { iterations } = state;
  const other = state.groups.find((group) => (group.iterations ?? iterations) !== iterations);
  if (other !== undefined)
    throw new GradstepError(
      `A group has taken ${other.iterations} steps of ${iterations}; TF.js's optimizers count the steps of all variables together.`,
      { code: "UNSUPPORTED" },
    );
  const [counted] = Object.keys(state.rowCounts ?? {});
  if (counted !== undefined)
    throw new GradstepError(
      `${counted} has ${state.rowCounts![counted]} of ${state.shapes[counted][0]} rows, and TF.js trains all; remap its rows with a number as count first.`,
      { code: "UNSUPPORTED" },
    );
  const spec = specOf(name as TfjsName, options);
  const variants = new GroupVariants(spec, []);
  const shapes = inOrder(state, order);
  const first = (initial: number | string, size: number): Float32Array =>
    new Float32Array(size).fill(
      typeof initial === "number" ? initial : (spec.hyperparameters[initial] as number),
    );
  const slots = shapes.map(([key, shape]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const own = variants.byGroup[0].slots.map((slot) => [
      slot.name,
      Object.hasOwn(state.slots, key)
        ? Float32Array.from(Object.values(state.slots[key][slot.name]))
        : first(slot.initial, size),
    ]);
    return [key, Object.fromEntries(own)] as const;
  });
  const { version, rule, options: choices, hyperparameters } = state;
  const weights = weightsOf(
    {
      version,
      rule,
      options: choices,
      hyperparameters,
      iterations,
      groups: [{ parameters: [], hyperparameters: {}, persistentScalars: {} }],
      shapes: Object.fromEntries(shapes),
      slots: Object.fromEntries(slots),
    },
    variants,
  );
  return name === "rmsprop" ? withMomenta(weights) : weights;
}

/** The variables of a state in an order, with those before the last of them that the state does not have. */
function inOrder({ shapes }: OptimizerState, order: Shapes): Shapes {
  const keys = Object.keys(shapes);
  const places = order.map(([name]) =>
    keys.find((key) => key === name || withoutUniquenessNumber(key) === name),
  );
  const last = places.reduce((found, key, i) => (key === undefined ? found : i), -1);
  const ordered = order
    .slice(0, last + 1)
    .map(([name, shape], i) => [places[i] ?? name, shape] as const);
  const rest = keys.filter((key) => !places.includes(key));
  return [...ordered, ...rest.map((key) => [key, shapes[key]] as const)];
}
