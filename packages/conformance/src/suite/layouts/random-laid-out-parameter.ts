import { sizeOf, type Activation, type OptimizerSpec } from "@gradstep/core";
import { slotShape } from "@gradstep/core/internal";
import { randomGradient, randomParameter } from "../random/random-values.js";
import type { Random } from "../random/random.js";
import type { LaidOutCopy, LaidOutParameter } from "./laid-out-parameter.js";

/** A parameter with random gradients, copies and caller-owned slots. */
export function randomLaidOutParameter(
  spec: OptimizerSpec,
  rows: number,
  random: Random,
): LaidOutParameter {
  const shape = random.pick([
    [rows],
    [rows, random.integer(1, 5)],
    [rows, random.integer(2, 4)],
    [rows, random.integer(1, 2), random.integer(1, 3)],
  ]);
  const { slots, matrices } = spec.rule.variant(spec.options);
  const owned = slots.filter(({ extent, isMetric }) => !isMetric && extent !== "all");
  const callers = random.chance(0.6) ? owned.filter(() => random.chance(0.7)) : [];
  const copies = Array.from({ length: random.pick([0, 1, 1, 2]) }, (): LaidOutCopy => ({
    dtype: random.pick(["f32", "f16"]),
    activation: randomActivation(random),
  }));
  const activation = random.chance(0.4) ? randomActivation(random) : undefined;
  return {
    shape,
    values: randomValues(sizeOf(shape), random),
    isField: random.chance(0.8),
    gradient: random.pick([
      "array",
      { dtype: "f32" },
      { dtype: "f16" },
      { dtype: "i32", scale: 10 ** random.between(-8, -1) },
      { dtype: "u32", scale: 10 ** random.between(-8, -1) },
      { dtype: "i32", scale: 2 ** random.integer(-20, 0) },
    ] as const),
    ...(activation === undefined ? {} : { gradientActivation: activation }),
    slots: Object.fromEntries(
      callers.map(({ name, extent }) => {
        const own = slotShape(extent, shape, matrices);
        const values = randomGradient(sizeOf(own), random);
        // Most slots hold averages of gradients or of their squares.
        return [name, { shape: own, values: random.chance(0.5) ? values : values.map(Math.abs) }];
      }),
    ),
    copies,
  };
}

/** Values of a parameter; some of those for which activations are about to end in f32. */
function randomValues(length: number, random: Random): Float32Array {
  if (random.chance(0.7)) return randomParameter(length, random);
  const most = random.pick([25, 88, 110]);
  return Float32Array.from({ length }, () => random.between(-most, most));
}

function randomActivation(random: Random): Activation {
  return random.pick<() => Activation>([
    () => "identity",
    () => "exp",
    () => "sigmoid",
    () => "softplus",
    () => "normalize",
    () => ({
      kind: "affine",
      scale: random.magnitude(-2, 2),
      offset: random.chance(0.3) ? 0 : random.magnitude(-2, 2),
    }),
  ])();
}
