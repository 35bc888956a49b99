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

interface Texts {
  readonly perStep: string;
  readonly perElement: string;
  readonly evaluation: string;
}

const texts: Texts = {
  perStep: "rate = learningRate * t",
  perElement: "m = m * 0.5 + g\nu = m * rate",
  evaluation: "p = p - m",
};

const heavyBall = (changed: Partial<Texts>): OptimizerSpec =>
  defineRule({
    name: "heavy-ball",
    hyperparameters: { learningRate: { default: 0.25, min: 0 } },
    slots: { m: 0 },
    ...texts,
    ...changed,
  })();

const scaled = (perElement: string): ChainPart =>
  defineStage({
    name: "scaled",
    hyperparameters: { factor: { default: 2, min: 0 } },
    perElement,
  })();

const ownRule = {
  of: (perElement: string) => ({ spec: heavyBall({ perElement }) }),
  text: texts.perElement,
  same: "m = m*0.5 + g; u = m*rate",
  other: "m = m * 0.5 - g\nu = m * rate",
};

const owners: readonly OwnText[] = [
  { name: "a rule", ...ownRule },
  {
    ...ownRule,
    name: "the rule of a group",
    of: (perElement) => ({
      spec: adam(),
      options: { groups: [{ match: "b", rule: heavyBall({ perElement }) }] },
    }),
  },
  {
    name: "a rule with scalars",
    of: (perStep) => ({ spec: heavyBall({ perStep }) }),
    text: texts.perStep,
    same: "rate = learningRate*t",
    other: "rate = learningRate / t",
  },
  {
    name: "a rule with weights to evaluate with",
    of: (evaluation) => ({ spec: heavyBall({ evaluation }) }),
    text: texts.evaluation,
    same: "p = p-m",
    other: "p = p + m",
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
