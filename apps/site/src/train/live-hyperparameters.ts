import type { ScheduleData } from "@gradstep/core";
import { scheduleOf } from "../controls/schedule-kinds.js";

/** A hyperparameter that got another value while a run was going on. */
export interface HyperparameterChange {
  /** Batches before the change. */
  readonly batch: number;
  readonly name: string;
  readonly value: number | ScheduleData;
}

/** The hyperparameters of an optimizer that can be changed between steps. Part of a checkpoint: a list of the changes. */
export class LiveHyperparameters {
  readonly changes: HyperparameterChange[] = [];
  readonly #optimizer: Record<string, unknown>;

  constructor(optimizer: object) {
    this.#optimizer = optimizer as Record<string, unknown>;
  }

  /** @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`; then nothing has changed */
  set(change: HyperparameterChange): void {
    this.#apply(change);
    const last = this.changes.at(-1);
    // A slider passes through many values between two batches.
    if (last?.name === change.name && last.batch === change.batch) this.changes.pop();
    this.changes.push(change);
  }

  /** Makes those of planned changes that come at this batch, unless the visitor has set the same there. */
  follow(planned: readonly HyperparameterChange[], batch: number): void {
    const made = this.changes.filter((change) => change.batch === batch).map(({ name }) => name);
    planned
      .filter((change) => change.batch === batch && !made.includes(change.name))
      .forEach((change) => this.set(change));
  }

  state(): readonly HyperparameterChange[] {
    return [...this.changes];
  }

  /** Makes the same changes in an optimizer that was made with the same settings. */
  restore(changes: readonly HyperparameterChange[]): void {
    this.changes.splice(0, Infinity, ...changes);
    changes.forEach((change) => this.#apply(change));
  }

  #apply({ name, value }: HyperparameterChange): void {
    this.#optimizer[name] = typeof value === "number" ? value : scheduleOf(value);
  }
}
