export { Bounds, errorOverBound } from "./bounds/bounds.js";
export { roundToNearest, unitRoundoff, wgsl, type ErrorModel } from "./bounds/error-model.js";
export type { Interval } from "./bounds/interval.js";
export {
  newtonSchulzBound,
  type Coefficient,
  type MatrixBound,
} from "./bounds/newton-schulz-bound.js";
export { emptyStats, type CheckStats } from "./checker/check-stats.js";
export { Checker } from "./checker/checker.js";
export { snapshot, type Snapshot } from "./checker/snapshot.js";
export {
  describeViolation,
  type BitDifference,
  type ValueLocation,
  type Violation,
} from "./checker/violation.js";
export {
  parseGolden,
  type GoldenCase,
  type GoldenFile,
  type Library,
} from "./golden/golden-file.js";
export { goldenSpec } from "./golden/optimizer-spec.js";
export { replay, tolerance, type GoldenResult, type ReplayOptions } from "./golden/replay.js";
export {
  runMutants,
  type MutantOptions,
  type MutantReport,
  type MutantResult,
} from "./mutants/run-mutants.js";
export { worstCase } from "./simulated-gpu/worst-case-backend.js";
export { ConformanceError } from "./suite/assertions.js";
export type { Capability } from "./suite/check.js";
export { conformance, type Runner } from "./suite/conformance.js";
export type { SuiteOptions } from "./suite/options.js";
export {
  verify,
  type CheckResult,
  type Report,
  type VerifyOptions,
  type VerifyProgress,
} from "./suite/verify.js";
