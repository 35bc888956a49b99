export { Bounds, errorOverBound } from "./bounds/bounds.js";
export type { Interval } from "./bounds/interval.js";
export { roundToNearest, unitRoundoff, wgsl, type ErrorModel } from "./bounds/model.js";
export {
  describeViolation,
  emptyTally,
  Judge,
  snapshot,
  type Snapshot,
  type Tally,
  type Violation,
} from "./judge.js";
