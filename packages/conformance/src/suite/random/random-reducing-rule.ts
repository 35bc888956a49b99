import {
  defineRule,
  defineStage,
  nonNegative,
  type Matrices,
  type Rule,
  type SlotExtent,
  type StageSpec,
  type UpdatedArray,
} from "@gradstep/core";
import { randomExpression } from "./random-expression.js";
import type { Random } from "./random.js";

const kinds = ["sum", "mean", "max", "norm"];
/** What a slot of an extent can be averaged from, and may depend on. */
const within: Readonly<Record<Exclude<SlotExtent, "element">, readonly string[]>> = {
  row: ["Row", "Tensor", "All"],
  column: ["Column", "Tensor", "All"],
  tensor: ["Tensor", "All"],
  all: ["All"],
};
const extents = Object.keys(within) as (keyof typeof within)[];

/** What a random rule may have. */
interface RuleOptions {
  /** A name for its metric; none if left out. */
  readonly metric?: string;
  /** Whether a slot may start as a copy of the parameter. */
  readonly copies: boolean;
  /** Whether it has a Newton–Schulz iteration; false if left out. */
  readonly iterates?: boolean;
  /** The most slots, metrics included: kernels can bind only so many arrays. */
  readonly maxSlots: number;
}

/**
 * A rule with random reductions over rows, columns, tensors and all tensors, some of them of one another, and with slots
 * of any extent.
 */
export function randomReducingRule(
  name: string,
  random: Random,
  { metric, copies, iterates = false, maxSlots }: RuleOptions,
): Rule {
  const left = maxSlots - (metric === undefined ? 1 : 2);
  const hasCopy = random.chance(0.4) && copies && left > 0;
  const owned = random.sample(extents, random.integer(0, hasCopy ? left - 1 : left));
  const names = ["p", "g", "a", ...(hasCopy ? ["start"] : []), ...owned.map(slotOf)];
  const lines: string[] = [];
  const texts = new RandomTexts(random, [...names, "alpha", "learningRate"]);
  for (const extent of owned) {
    const slot = slotOf(extent);
    const [one, other] = [texts.reduction(within[extent]), texts.reduction(within[extent])];
    lines.push(`${slot} = ${slot} * 0.5 + (${random.chance(0.7) ? one : `${one} - ${other}`})`);
  }
  lines.push(`a = a * 0.5 + (${texts.reducing()}) * 0.25`);
  if (hasCopy && random.chance(0.5)) lines.push("start = start * 0.75 + p * 0.25");
  if (iterates)
    lines.push("x = g / (normTensor(g) + 0.25)", "x = newtonSchulz(x, 3.4445, -4.775, 2.0315)");
  const all = [
    "a",
    ...(hasCopy ? ["start"] : []),
    ...owned.map(slotOf),
    ...(iterates ? ["x"] : []),
  ];
  lines.push(`u = (${texts.reducing()}) * learningRate + (${all.join(" + ")}) * alpha`);
  if (metric !== undefined) lines.push(`${metric} = maxAll(abs(g))`);
  return defineRule({
    name,
    hyperparameters: { learningRate: nonNegative(0.01), alpha: nonNegative(0.1) },
    slots: {
      a: 0,
      ...(hasCopy ? { start: "p" as const } : {}),
      ...Object.fromEntries(
        owned.map((extent) => [slotOf(extent), { extent, initial: random.pick([0, 0.5]) }]),
      ),
    },
    metrics: metric === undefined ? {} : { [metric]: random.pick(["all", "tensor"] as const) },
    matrices: random.pick<Matrices>(["first", "last"]),
    perElement: lines.join("\n"),
  }).rule;
}

/** A stage with a random reduction, and a slot of its own. */
export function randomStage(updated: UpdatedArray, random: Random): StageSpec<never> {
  const slot = `${updated}Mean`;
  const extent = random.pick(extents);
  const readable = { g: ["g", "p"], u: ["g", "p", "u"], p: ["p"] }[updated];
  const texts = new RandomTexts(random, [...readable, slot]);
  return defineStage({
    name: `random-${updated}`,
    slots: { [slot]: { extent, initial: 0.5 } },
    perElement: `
      ${slot} = ${slot} * 0.5 + ${new RandomTexts(random, readable).reduction(within[extent])}
      r = ${texts.reducing()}
      ${updated} = ${updated} * 0.5 + (abs(r) < 1e10 ? r : ${updated}) * 0.125
    `,
  })();
}

function slotOf(extent: string): string {
  return `${extent}Mean`;
}

/** Texts over some names, the first of which has a value per element. */
class RandomTexts {
  readonly #random: Random;
  readonly #names: readonly string[];

  constructor(random: Random, names: readonly string[]) {
    this.#random = random;
    this.#names = names;
  }

  /** A reduction over one of these extents, sometimes of other reductions. */
  reduction(over: readonly string[]): string {
    const random = this.#random;
    const operand = random.chance(0.3)
      ? this.reducing()
      : randomExpression(random, this.#names, random.integer(0, 2));
    // With a value per element, so that it can be reduced over anything.
    return `${random.pick(kinds)}${random.pick(over)}(${operand} + ${this.#names[0]} * 0.5)`;
  }

  /** An expression with one to three reductions. */
  reducing(): string {
    const random = this.#random;
    const reductions = Array.from({ length: random.integer(1, 3) }, () =>
      this.reduction(["Row", "Column", "Tensor", "All"]),
    );
    const names = reductions.map((_, i) => `r${i}`);
    const text = randomExpression(
      random,
      [...this.#names, ...names, ...names],
      random.integer(1, 3),
    );
    const used = names.some((name) => text.includes(name)) ? text : `(${text}) * r0`;
    return used.replaceAll(/r(\d)\b/g, (_, i: string) => reductions[Number(i)]);
  }
}
