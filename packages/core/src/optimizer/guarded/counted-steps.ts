import type { Group } from "../groups/group.js";
import { groupStepsBetween } from "./group-steps.js";
import type { Clock } from "../step/step-scalars.js";
import { uncertainSteps } from "./guard-errors.js";

/** In which steps a group takes part. */
interface Participation {
  frozen: boolean;
  every: number;
}

/**
 * The steps that the host has counted, of the optimizer and of each group. The host counts a step before the device decides
 * whether it is taken, so they may have to be counted back.
 */
export class CountedSteps {
  readonly #groups: readonly Group[];
  readonly #clock: Clock;
  /** That of each group, as of the last step. */
  readonly #participation: readonly Participation[];

  constructor(groups: readonly Group[], clock: Clock) {
    this.#groups = groups;
    this.#clock = clock;
    this.#participation = groups.map(({ frozen, every }) => ({ frozen, every }));
  }

  /**
   * Takes the settings of the groups for the next steps.
   * @param isUncertain whether it is not known how many of the last steps were taken
   * @throws {GradstepError} `UNSUPPORTED` if it is not known in which steps a group took part before this changed
   */
  takeParticipation(isUncertain: boolean): void {
    for (let i = 0; i < this.#groups.length; i += 1) {
      const { frozen, every } = this.#groups[i];
      const last = this.#participation[i];
      if (frozen === last.frozen && every === last.every) continue;
      if (isUncertain)
        throw frozen === last.frozen
          ? uncertainSteps("every", every)
          : uncertainSteps("frozen", frozen);
      last.frozen = frozen;
      last.every = every;
    }
  }

  /** A copy of what `takeParticipation` took last, which later changes leave as it is. */
  participation(): readonly Readonly<Participation>[] {
    return this.#participation.map((one) => ({ ...one }));
  }

  /** Counts steps back; forward again if the number is negative. */
  moveBack(steps: number): void {
    if (steps === 0) return;
    const { iterations } = this.#clock;
    const next = iterations - steps;
    this.#clock.iterations = next;
    for (let i = 0; i < this.#groups.length; i += 1)
      this.#groups[i].iterations -= groupStepsBetween(this.#participation[i], next + 1, iterations);
  }
}
