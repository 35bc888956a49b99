import type { Source } from "../papers.js";
import type { ScheduleCounterpart } from "./schedule-counterpart.js";

/** How a schedule computes its value $\eta_t$ after $t$ steps. */
export interface ScheduleFormula {
  /** LaTeX of lines `name`, `value`; the last is that of the schedule. */
  readonly lines: readonly (readonly [target: string, value: string])[];
  /** The symbols of its options. The options that are left out have their defaults. */
  readonly symbols: Readonly<Record<string, string>>;
}

/** What a page says of a kind of schedule, in addition to what can be picked. */
export interface ScheduleInfo {
  /** The first is the one it follows. */
  readonly sources: readonly Source[];
  /** Undefined for a table of values. */
  readonly formula?: ScheduleFormula;
  readonly counterparts: readonly ScheduleCounterpart[];
}
