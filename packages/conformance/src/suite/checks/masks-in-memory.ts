import { adagrad, sgd, type Tensor } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertSame, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";

const group = "rows";
const columns = 16_384;
const initialAccumulatorValue = 0.25;
const spec = adagrad({ initialAccumulatorValue });

/** Masks that lie in memory of the backend, which may grow in the call that they are passed to, and detach them. */
export const maskMemoryChecks: readonly Check[] = [
  {
    group,
    name: "the mask of a reset may lie in memory that the reset makes grow",
    needs: ["rows", "reductions"],
    run: resets,
  },
  {
    group,
    name: "the mask of a step may lie in memory that the step makes grow",
    needs: ["rows"],
    run: steps,
  },
];

/** The mask in memory of the backend, if JavaScript can access it; in an array elsewhere. */
function inMemory(flags: Tensor, mask: readonly number[]): Uint32Array {
  const memory = flags.view?.();
  if (memory === undefined) return Uint32Array.from(mask);
  const { buffer, byteOffset } = memory;
  const words = new Uint32Array(buffer, byteOffset, mask.length);
  words.set(mask);
  return words;
}

async function resets({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const flags = backend.tensor([2]);
  const w = backend.tensor([2, columns]);
  const optimizer = target.create(spec, { w });
  optimizer.step({ w: new Float32Array(2 * columns).fill(1) });
  const { w: before } = await snapshot(optimizer, { w });
  const a = before.a.slice();
  // For each range of columns, the backend makes a tensor.
  for (const from of [0, 1, 2, 3]) {
    optimizer.reset("w", { rows: inMemory(flags, [0, 1]), columns: [from, from + 1] });
    a[columns + from] = initialAccumulatorValue;
    const { w: after } = await snapshot(optimizer, { w });
    assertSameAll({ w: after }, { w: { p: before.p, a } }, `reset of row 1, column ${from}`);
  }
  optimizer.dispose();
}

async function steps({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const flags = backend.tensor([2]);
  for (let i = 0; i < 4; i += 1) {
    const w = backend.tensor([2, columns]);
    const optimizer = target.create(sgd({ learningRate: 1 }), { w });
    // The gradient of the first step needs memory.
    const gradient = new Float32Array(2 * columns).fill(1);
    optimizer.step({ w: gradient }, { rows: inMemory(flags, [0, 1]) });
    const expected = gradient.map((g, index) => (index < columns ? 0 : -g));
    assertSame(await w.read(), expected, "sgd, step 1 of row 1", 'p of "w"');
  }
}
