import type { Values } from "@gradstep/core";
import type { GroupVariants } from "../group-variants.js";
import type { NamedTensor } from "../step/gradients.js";
import { lazyTensor } from "./lazy-tensor.js";
import type { TfOptimizerState } from "./optimizer-state.js";
import { savedSlotsOf } from "./saved-slots.js";
import { accumulatedSuffix, stepControlWeight } from "./step-control-weights.js";
import { sharedNames } from "./weights.js";

/**
 * A state as TF.js's named weights: `iter`, then each slot of all parameters. The tensors use no memory of the backend
 * until TF.js computes with them.
 */
export function weightsOf(state: TfOptimizerState, variants: GroupVariants): NamedTensor[] {
  const shapes = Object.entries(state.shapes);
  const weights: NamedTensor[] = [
    { name: "iter", tensor: lazyTensor(Int32Array.of(state.iterations), [], "int32") },
  ];
  /** In the order of their first weights. */
  const written = new Set<string>();
  const write = (key: string, suffix: string, values: Values, shape: readonly number[]): void => {
    written.add(key);
    const tensor = lazyTensor(values as Float32Array, shape, "float32");
    weights.push({ name: `${key}/${suffix}`, tensor });
  };
  const writeNumbers = (
    name: string,
    numbers: readonly number[],
    shape: readonly number[] = [numbers.length],
  ): void => {
    weights.push({ name, tensor: lazyTensor(Int32Array.from(numbers), shape, "int32") });
  };
  let areShapesKnown = variants.distinct.length === 1;
  for (const variant of variants.distinct) {
    const layout = savedSlotsOf(variant);
    if (layout.length > 0 && !layout.some(({ isElementwise }) => isElementwise))
      areShapesKnown = false;
    const own = shapes.filter(([name, shape]) => variants.of({ name, shape }) === variant);
    for (const { suffix, name, shapeFor } of layout)
      for (const [key, shape] of own) write(key, suffix, state.slots[key][name], shapeFor(shape));
  }
  const { control, fingerprints } = state;
  for (const [key, shape] of shapes) {
    const accumulated = control?.accumulated[key];
    if (accumulated !== undefined) write(key, accumulatedSuffix, accumulated, shape);
  }
  if (!areShapesKnown) {
    // Each shape after its length.
    const lengths = [...written].flatMap((key) => {
      const shape = state.shapes[key];
      return [shape.length, ...shape];
    });
    writeNumbers(sharedNames.shapes, lengths);
  }
  const persistent = variants.byGroup.flatMap((variant, i) =>
    Object.keys(variant.persistentScalars).map((name) => state.groups[i].persistentScalars[name]),
  );
  if (persistent.length > 0) {
    // Numbers of f64, whose bits f32 cannot hold.
    const bits = new Int32Array(Float64Array.from(persistent).buffer);
    writeNumbers(sharedNames.persistentScalars, [...bits], [persistent.length, 2]);
  }
  const counts = state.groups.map(({ iterations = state.iterations }) => iterations);
  const everies = state.groups.map(({ hyperparameters: { every = 1 } }) => every);
  // Once `every` was set between steps, the counts cannot be computed from it.
  if (counts.some((count, i) => count !== state.iterations || everies[i] !== 1))
    writeNumbers(sharedNames.groupIterations, counts);
  if (control !== undefined) weights.push(stepControlWeight(control));
  if (fingerprints !== undefined && written.size > 0) {
    const hashes = [...written].flatMap((key) => fingerprints[key] ?? [0, 0]);
    writeNumbers(sharedNames.fingerprints, hashes, [written.size, 2]);
  }
  return weights;
}
