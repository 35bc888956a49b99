import {
  chain,
  createOptimizer,
  type ChainPart,
  type OptimizerSpec,
  type Rule,
  type Stage,
} from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { target } from "../mutable-target.js";

/** A stage or the rule of a chain. */
interface Link {
  readonly rule: Rule;
  readonly stage: Stage | undefined;
}

/** Chains whose stages are others than those that were given. */
function rechained(name: string, change: (links: readonly Link[]) => readonly Link[]): Mutant {
  const changed = (spec: OptimizerSpec): OptimizerSpec => {
    const { links } = spec.rule as { readonly links?: readonly Link[] };
    return links === undefined ? spec : chain(...change(links).map((link) => partOf(link, spec)));
  };
  const create: typeof createOptimizer = (spec, parameters, options) =>
    createOptimizer(changed(spec) as typeof spec, parameters, options);
  return { name, kind: "optimizer", target: () => target({ create }) };
}

/** A link with its settings in the spec of the whole chain. */
function partOf({ rule, stage }: Link, { hyperparameters, options }: OptimizerSpec): ChainPart {
  const settings = Object.fromEntries(
    Object.entries({ ...hyperparameters, ...options }).filter(
      ([name]) => Object.hasOwn(rule.hyperparameters, name) || Object.hasOwn(rule.options, name),
    ),
  );
  return stage === undefined ? rule.specify(settings) : { stage, ...stage.specify(settings) };
}

/** Stages of a chain: left out, or in another order. */
export const chainMutants: readonly Mutant[] = [
  rechained("stages that update the same array run in reverse order", (links) => {
    const places = ["g", undefined, "u", "p"];
    return places.flatMap((place) =>
      links.filter(({ stage }) => stage?.updated === place).reverse(),
    );
  }),
  rechained("the last stage of a chain is left out", (links) =>
    links.filter(({ stage }) => stage === undefined || stage !== links.at(-1)!.stage),
  ),
  rechained("the first stage of a chain is left out", (links) =>
    links.filter(({ stage }) => stage === undefined || stage !== links[0].stage),
  ),
];
