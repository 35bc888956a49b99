import {
  adam,
  chain,
  defineRule,
  defineStage,
  type ChainPart,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
} from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assert, assertCode, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";

/** What has a text of its own, and where a state has its fingerprint. */
interface OwnText {
  readonly name: string;
  readonly of: (text: string) => {
    readonly spec: OptimizerSpec;
    readonly options?: OptimizerOptions;
  };
  readonly text: string;
  /** The same mathematics, and another one. */
  readonly same: string;
  readonly other: string;
}

const heavyBall = (perElement: string): OptimizerSpec =>
  defineRule({
    name: "heavy-ball",
    hyperparameters: { learningRate: { default: 0.25, min: 0 } },
    slots: { m: 0 },
    perElement,
  })();

const scaled = (perElement: string): ChainPart =>
  defineStage({
    name: "scaled",
    hyperparameters: { factor: { default: 2, min: 0 } },
    perElement,
  })();

const rule = {
  text: "m = m * 0.5 + g\nu = m * learningRate",
  same: "m = m*0.5 + g; u = m*learningRate",
  other: "m = m * 0.5 - g\nu = m * learningRate",
};

const owners: readonly OwnText[] = [
  { name: "a rule", of: (text) => ({ spec: heavyBall(text) }), ...rule },
  {
    name: "the rule of a group",
    of: (text) => ({ spec: adam(), options: { groups: [{ match: "b", rule: heavyBall(text) }] } }),
    ...rule,
  },
  {
    name: "a stage",
    of: (text) => ({ spec: chain(scaled(text), adam()) }),
    text: "g = g * factor",
    same: "g = g*factor",
    other: "g = g + factor",
  },
];

/** A rule of one's own has no version, so that a state tells by its mathematics whether it is of the same rule. */
export const ownRuleStateChecks: readonly Check[] = owners.map((owner) => ({
  group: "state",
  name: `a state of ${owner.name} of one's own fits the same mathematics alone`,
  run: (context: Context) => check(context, owner),
}));

async function check(context: Context, { of, text, same, other }: OwnText): Promise<void> {
  const trained = async (source: string, steps: number) => {
    const { spec, options } = of(source);
    const backend = await context.target.backend();
    const parameters = { a: backend.tensor([3], [1, 2, 3]), b: backend.tensor([2], [4, 5]) };
    const optimizer = context.target.create(spec, parameters, options) as unknown as Optimizer;
    for (let i = 1; i <= steps; i += 1)
      optimizer.step({ a: Float32Array.of(i, 1, 2), b: Float32Array.of(3, i) });
    return { optimizer, parameters };
  };
  const { optimizer, parameters } = await trained(text, 2);
  const state = structuredClone(await optimizer.state());
  const { a, b } = await snapshot(optimizer, parameters);

  const again = await trained(same, 3);
  again.optimizer.restore(state);
  const slotsOf = async (one: Awaited<ReturnType<typeof trained>>) =>
    (await one.optimizer.state()).slots;
  const { p: _, ...slotsOfA } = a;
  const { p: __, ...slotsOfB } = b;
  const saved = { a: slotsOfA, b: slotsOfB };
  assertSameAll(await slotsOf(again), saved, "restored by the same mathematics in other words");

  const changed = await trained(other, 3);
  const before = await slotsOf(changed);
  await assertCode("STATE_MISMATCH", "a state of other mathematics", () =>
    changed.optimizer.restore(state),
  );
  assertSameAll(await slotsOf(changed), before, "after a state that was refused");
  assert(
    changed.optimizer.iterations === 3,
    `iterations is ${changed.optimizer.iterations} after a state that was refused; expected 3`,
  );
  const misfits = changed.optimizer.restore(state, { partial: true });
  assert(
    misfits.length === 1 && misfits[0].kind === "rule",
    `a state of other mathematics has ${misfits.length} misfits with partial; expected one, of the rule`,
  );
  assertSameAll(await slotsOf(changed), saved, "restored with partial by other mathematics");
  for (const one of [{ optimizer }, again, changed]) one.optimizer.dispose();
}
