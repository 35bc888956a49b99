import {
  chain,
  clipByGlobalNorm,
  ema,
  sgd,
  type Optimizer,
  type OptimizerSpec,
  type Rule,
  type Tensor,
} from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assert, assertCode, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { needsOf } from "../rule-needs.js";
import { withRepeater } from "../with-repeater.js";

const group = "repeated steps";

/** What may happen after a step, so that one with the same tensors is refused. */
export function refusedRepetitionChecks([rule]: readonly Rule[]): readonly Check[] {
  return [
    {
      group,
      name: "a freed gradient or parameter is refused, and nothing has changed",
      needs: needsOf(rule),
      run: async (context) => {
        for (const freed of ["gradient", "parameter"] as const) {
          const { parameters, optimizer, gradients } = await repeating(context, rule.specify({}));
          const before = await parameters.a.read();
          (freed === "gradient" ? gradients : parameters).b.free();
          await assertCode("DISPOSED", `a freed ${freed}`, () => optimizer.step(gradients));
          assert(
            optimizer.iterations === 3,
            `iterations is ${optimizer.iterations} after a refused step; expected 3`,
          );
          assertSameAll(
            { a: { p: await parameters.a.read() } },
            { a: { p: before } },
            "after a refused step",
          );
        }
      },
    },
    {
      group,
      name: "a step is refused after dispose(), and nothing has changed",
      run: async (context) => {
        // Without slots, dispose() frees nothing that the step needs.
        const { parameters, optimizer, gradients } = await repeating(context, sgd());
        const before = await valuesOf(parameters);
        optimizer.dispose();
        await assertCode("DISPOSED", "step() after dispose()", () => optimizer.step(gradients));
        assertSameAll(await valuesOf(parameters), before, "after a step that dispose() rules out");
      },
    },
    {
      group,
      name: "a step is refused between two calls of swap(), and nothing has changed",
      needs: ["copies"],
      run: (context) => stepSwapped(context, chain(sgd(), ema(0.5))),
    },
    {
      group,
      name: "a step with reductions is refused between two calls of swap()",
      needs: ["copies", "reductions"],
      run: (context) => stepSwapped(context, chain(clipByGlobalNorm(1), sgd(), ema(0.5))),
    },
  ];
}

interface Repeating {
  readonly parameters: Readonly<Record<"a" | "b", Tensor>>;
  readonly gradients: Readonly<Record<"a" | "b", Tensor>>;
  readonly optimizer: Optimizer;
}

/** An optimizer that has taken three steps with the same tensors. */
async function repeating({ target }: Context, spec: OptimizerSpec): Promise<Repeating> {
  const backend = withRepeater(await target.backend());
  const parameters = { a: backend.tensor([4]), b: backend.tensor([4]) };
  const gradients = { a: backend.tensor([4], [1, 2, 3, 4]), b: backend.tensor([4]) };
  const optimizer = target.create(spec, parameters);
  for (let step = 0; step < 3; step += 1) optimizer.step(gradients);
  return { parameters, gradients, optimizer };
}

async function valuesOf({ a, b }: Repeating["parameters"]) {
  return { a: { p: await a.read() }, b: { p: await b.read() } };
}

async function stepSwapped(context: Context, spec: OptimizerSpec): Promise<void> {
  const { parameters, optimizer, gradients } = await repeating(context, spec);
  const before = await snapshot(optimizer, parameters);
  optimizer.swap();
  const evaluated = await valuesOf(parameters);
  await assertCode("SWAPPED", "step() after swap()", () => optimizer.step(gradients));
  assertSameAll(await valuesOf(parameters), evaluated, "after a step that swap() rules out");
  optimizer.swap();
  const what = "after a refused step between two calls of swap()";
  assertSameAll(await snapshot(optimizer, parameters), before, what);
  optimizer.dispose();
}
