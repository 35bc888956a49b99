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
export { parseGolden, type GoldenCase, type GoldenFile, type Library } from "./golden/format.js";
export { replay, tolerance, type GoldenResult, type ReplayOptions } from "./golden/replay.js";
export {
  conformance,
  verify,
  type BackendUnderTest,
  type CheckResult,
  type Report,
  type Runner,
} from "./suite/conformance.js";
export { ConformanceError } from "./suite/assert.js";
export {
  judgeSuite,
  type MutantOptions,
  type MutantReport,
  type MutantResult,
} from "./mutants/mutants.js";
export { worstCase } from "./worst-case/worst-case.js";
