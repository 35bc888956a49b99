export type { Candidate, MissingBackend, OpenedBackend } from "./doctor/candidate.js";
export { runDoctor } from "./doctor/run-doctor.js";
