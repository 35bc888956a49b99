import {
  variantOf,
  type GroupOptions,
  type MatchedParameter,
  type OptimizerSpec,
  type Variant,
} from "@gradstep/core";
import { matches } from "./group-patterns.js";

/** The compiled rules of an optimizer and of its groups. */
export class GroupVariants {
  /** The optimizer's own, then that of each group. */
  readonly byGroup: readonly Variant[];
  /** Each variant once. */
  readonly distinct: readonly Variant[];
  readonly #groups: readonly GroupOptions[];

  constructor(spec: OptimizerSpec, groups: readonly GroupOptions[]) {
    const own = variantOf(
      spec,
      groups.filter(({ rule }) => rule === undefined),
    );
    this.#groups = groups;
    this.byGroup = [
      own,
      ...groups.map((group) => (group.rule === undefined ? own : variantOf(group.rule, [group]))),
    ];
    this.distinct = [...new Set(this.byGroup)];
  }

  /** Whether any variant has slots. */
  get haveSlots(): boolean {
    return this.distinct.some(({ slots }) => slots.length > 0);
  }

  /** The variant that updates a parameter. */
  of(parameter: MatchedParameter): Variant {
    return this.byGroup[this.indexOf(parameter)];
  }

  /** The index in `byGroup` of the group that has a parameter. */
  indexOf(parameter: MatchedParameter): number {
    return 1 + this.#groups.findIndex(({ match }) => matches(match, parameter));
  }
}
