import type { Group } from "../groups/group.js";

/** Which groups take part in a step, as a number: the same for steps with the same groups. */
export class StepKinds {
  readonly #groups: readonly Group[];
  readonly #kinds = new Map<string, number>();
  /** The last steps of different kinds. */
  readonly #steps: number[] = [];

  constructor(groups: readonly Group[]) {
    this.#groups = groups;
  }

  /** Whether a group takes part in some steps only. */
  get areSeveral(): boolean {
    for (let i = 0; i < this.#groups.length; i += 1) {
      const { every, frozen } = this.#groups[i];
      if (every > 1 && !frozen) return true;
    }
    return false;
  }

  /** The kind of step `t`. */
  of(t: number): number {
    if (!this.areSeveral) return 0;
    const key = this.#groups.map((group) => (group.isDue(t) ? 1 : 0)).join("");
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      // 0 is that of steps in which all groups take part.
      kind = this.#kinds.size + 1;
      this.#kinds.set(key, kind);
    }
    return kind;
  }

  /** One step of each kind that occurs from `first` to `last`. Valid until the next call. */
  among(first: number, last: number): readonly number[] {
    const steps = this.#steps;
    steps.length = 0;
    steps.push(last);
    if (!this.areSeveral) return steps;
    let period = 1;
    for (const { every } of this.#groups) period *= every;
    const found = new Set([this.of(last)]);
    for (let t = last - 1; t >= Math.max(first, last - period + 1); t -= 1) {
      const kind = this.of(t);
      if (!found.has(kind)) steps.push(t);
      found.add(kind);
    }
    return steps;
  }
}
