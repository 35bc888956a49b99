export type { Candidate, MissingBackend, OpenedBackend } from "./doctor/candidate.js";
export {
  boundsGroup,
  checkBackend,
  checkMutants,
  type CheckEvents,
  type Extent,
} from "./doctor/check-backend.js";
export {
  isSound,
  jsonOf,
  type BackendDiagnosis,
  type CheckedBackend,
  type Diagnosis,
  type MutantDiagnosis,
} from "./doctor/diagnosis.js";
export type { Machine } from "./doctor/machine.js";
export type { BackendSpeed, Speed } from "./doctor/speed.js";
