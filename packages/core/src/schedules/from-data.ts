import { GradstepError, list } from "../errors.js";
import { isArray } from "../argument-checks/is-array.js";
import { constantKind, joinedKind, piecewiseConstantKind, warmupKind } from "./compositions.js";
import { cosineAnnealingKind, cosineDecayKind, cosineDecayRestartsKind } from "./cosine-decays.js";
import { cyclicalKind, oneCycleKind, warmupStableDecayKind } from "./cycles.js";
import {
  exponentialDecayKind,
  inverseTimeDecayKind,
  linearKind,
  polynomialDecayKind,
} from "./decays.js";
import {
  isSchedule,
  isScheduleData,
  type Schedule,
  type ScheduleData,
  type ScheduleKind,
} from "./schedule.js";

const kinds: ReadonlyMap<string, ScheduleKind<never>> = new Map(
  [
    constantKind,
    cosineAnnealingKind,
    cosineDecayKind,
    cosineDecayRestartsKind,
    cyclicalKind,
    exponentialDecayKind,
    inverseTimeDecayKind,
    joinedKind,
    linearKind,
    oneCycleKind,
    piecewiseConstantKind,
    polynomialDecayKind,
    warmupKind,
    warmupStableDecayKind,
  ].map((kind) => [kind.kind, kind as ScheduleKind<never>]),
);

/** The schedule of stored data. @throws {GradstepError} `UNSUPPORTED` for a function, which cannot be stored */
export function scheduleFromData({ schedule, options }: ScheduleData): Schedule {
  const kind = kinds.get(schedule);
  if (kind === undefined) {
    throw new GradstepError(
      schedule === "function"
        ? "A hyperparameter follows a function, which cannot be stored; pass it again in the settings."
        : `There is no schedule "${schedule}"; expected one of ${list(kinds.keys())}.`,
      { code: "UNSUPPORTED" },
    );
  }
  return kind(revived(options) as never);
}

/** Options whose data of schedules are schedules. */
function revived(value: unknown): unknown {
  if (isScheduleData(value)) return scheduleFromData(value);
  if (isArray(value)) return value.map(revived);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, revived(one)]));
}

/** Values whose data of schedules are schedules. @throws {GradstepError} `UNSUPPORTED` */
export function withSchedules(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      isScheduleData(value) && !isSchedule(value) ? scheduleFromData(value) : value,
    ]),
  );
}
