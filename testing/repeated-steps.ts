// Steps that are repeated with the same tensors, and what they make.
import {
  adafactor,
  adam,
  chain,
  clipByGlobalNorm,
  ema,
  lamb,
  muon,
  sgd,
  type OptimizerSpec,
  type StepOptions,
} from "@gradstep/core";

/** A spec of each kind that is planned in another way. */
export const repeatedSpecs: Readonly<Record<string, OptimizerSpec>> = {
  adam: adam(),
  "a chain": chain(clipByGlobalNorm(1), lamb(), ema(0.9)),
  "reductions of rows and columns": adafactor(),
  "products of matrices": muon(),
  "rules that share a norm": {
    ...chain(clipByGlobalNorm(1), adam()),
    groups: [{ match: "b", rule: chain(clipByGlobalNorm(1), sgd({ learningRate: 0.1 })) }],
  },
};

/** The shapes of the parameters. */
export const repeatedShapes = { a: [40, 3], b: [5, 7], c: [20], d: [2, 3, 5] };

/** Options of the steps. */
export const repeatedMasks: Readonly<Record<string, StepOptions | undefined>> = {
  "without masks": undefined,
  ...Object.fromEntries(
    (["keep", "decay", "zero"] as const).map((unselectedRows) => [
      `with masks, other rows: ${unselectedRows}`,
      { unselectedRows, rows: { a: Uint32Array.from({ length: 40 }, (_, i) => i % 3) } },
    ]),
  ),
};

type ArrayClass = "Float32Array" | "Float64Array" | "Int32Array";

/**
 * Runs an action, and tells of each array that it makes of these classes, which it must find as globals.
 * @param onMade gets the name of the class and the arguments of the constructor
 */
export function watchingArrays<Result>(
  classes: readonly ArrayClass[],
  onMade: (name: ArrayClass, args: readonly unknown[]) => void,
  action: () => Result,
): Result {
  const before = Object.fromEntries(classes.map((name) => [name, globalThis[name]]));
  for (const name of classes) {
    const watched = new Proxy(globalThis[name], {
      construct: (target, args: unknown[]) => {
        onMade(name, args);
        return Reflect.construct(target, args) as object;
      },
    });
    Object.assign(globalThis, { [name]: watched });
  }
  try {
    return action();
  } finally {
    Object.assign(globalThis, before);
  }
}
