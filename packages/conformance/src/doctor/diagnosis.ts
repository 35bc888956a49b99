import type { MutantResult } from "../mutants/run-mutants.js";
import type { CheckResult } from "../suite/verify.js";
import type { Machine } from "./machine.js";
import type { Speed } from "./speed.js";

/** What `gradstep doctor` found, as plain data: the document that `--json` writes. */
export interface Diagnosis {
  /** The version of gradstep. */
  readonly version: string;
  /** When it began: ISO 8601, UTC. */
  readonly date: string;
  readonly machine: Machine;
  readonly backends: readonly BackendDiagnosis[];
  /** Broken backends that the check must notice; undefined if they were not run. */
  readonly mutants?: MutantDiagnosis;
  /** The benchmark; undefined if it was not run. */
  readonly speed?: Speed;
  readonly seconds: number;
  /** Whether the user stopped it, so that something is missing. */
  readonly interrupted: boolean;
}

/** One backend. */
export type BackendDiagnosis = CheckedBackend | AbsentBackend;

/** A backend that this machine lacks. */
export interface AbsentBackend {
  readonly name: string;
  readonly status: "missing";
  readonly reason: string;
  readonly remedy: string;
}

/** A backend that was checked. */
export interface CheckedBackend {
  readonly name: string;
  /** Whether all checks passed; "unfinished" if some did not run. */
  readonly status: "right" | "wrong" | "unfinished";
  readonly detail?: string;
  readonly isEmulated: boolean;
  readonly errorModel: string;
  /** The largest error of any value, in units of its bound. Above 1 is wrong. */
  readonly worstErrorOverBound: number;
  /** Values that were compared with their bounds. */
  readonly elements: number;
  /** Those for which the bound excludes nothing. */
  readonly unbounded: number;
  /** Those whose bits differ from those of the f32 reference. */
  readonly differingBits: number;
  readonly cases: number;
  readonly checks: readonly CheckResult[];
  /** Checks that did not run. */
  readonly unfinished: number;
}

/** Mutants that were run. */
export interface MutantDiagnosis {
  readonly total: number;
  readonly killed: number;
  /** Checks that fail without a bug. */
  readonly falseAlarms: readonly string[];
  readonly mutants: readonly MutantResult[];
}

/** Whether nothing is wrong: no backend, and no mutant that went unnoticed. */
export function isSound({ backends, mutants }: Pick<Diagnosis, "backends" | "mutants">): boolean {
  return (
    backends.every(({ status }) => status !== "wrong") &&
    (mutants === undefined ||
      (mutants.killed === mutants.total && mutants.falseAlarms.length === 0))
  );
}

/** The document as JSON. Infinity, which JSON lacks, is the largest number. */
export function jsonOf(diagnosis: object): string {
  const finite = (_: string, value: unknown): unknown =>
    value === Infinity ? Number.MAX_VALUE : value;
  return `${JSON.stringify(diagnosis, finite, 2)}\n`;
}
