export type { Candidate, MissingBackend, OpenedBackend } from "./doctor/candidate.js";
export type { BackendDiagnosis, Diagnosis, MutantDiagnosis } from "./doctor/diagnosis.js";
export type { Machine } from "./doctor/machine.js";
export { runDoctor } from "./doctor/run-doctor.js";
export type { BackendSpeed, Speed } from "./doctor/speed.js";
