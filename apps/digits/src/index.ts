export {
  classes,
  oneHot,
  pixelsPerDigit,
  side,
  type Digits,
  type DigitSet,
} from "./data/digit-set.js";
export { decodeDigits, encodeDigits } from "./data/digits-file.js";
export {
  axisNumber,
  clock,
  duration,
  lossText,
  milliseconds,
  percent,
  rateText,
} from "./format.js";
export type { Evaluation, Prediction } from "./training/evaluation.js";
export { failureOf, failureText, type Failure } from "./training/failure.js";
export {
  batchCount,
  optimizerFraction,
  optimizerSeconds,
  type Epoch,
  type Observer,
  type Progress,
  type ResumePoint,
  type Run,
  type TrainingSettings,
} from "./training/run.js";
