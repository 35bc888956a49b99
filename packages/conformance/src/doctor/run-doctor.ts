import { closeSync, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { userDirectory } from "../cli/load-backend.js";
import { interruptedStatus, interruption } from "../cli/interruption.js";
import { Progress } from "../cli/progress.js";
import { painter, widthOf } from "../cli/terminal.js";
import { UsageError } from "../cli/usage.js";
import type { Candidate, OpenedBackend } from "./candidate.js";
import { checkBackend, checkMutants } from "./check-backend.js";
import { isSound, jsonOf, type BackendDiagnosis, type Diagnosis } from "./diagnosis.js";
import { help } from "./help.js";
import { thisMachine } from "./machine.js";
import { parseDoctorOptions, type DoctorOptions } from "./options.js";
import { Report } from "./report.js";
import { measureSpeed } from "./speed.js";

/**
 * The command `doctor`: says which backends this machine has, checks each against the reference, checks the check,
 * measures speed, and prints it all.
 *
 * @param version of gradstep, for the report
 * @returns the exit status
 */
export async function runDoctor(
  args: readonly string[],
  candidates: readonly Candidate[],
  version: string,
): Promise<number> {
  let options: DoctorOptions;
  try {
    options = parseDoctorOptions(
      args,
      candidates.map(({ name }) => name),
    );
    if (options.json !== undefined) checkFile(options.json);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const chosen = candidates.filter(
    ({ name }) => options.backends.length === 0 || options.backends.includes(name),
  );
  const diagnosis = await diagnose(chosen, options, version);
  const isWritten = options.json === undefined || write(diagnosis, options.json);
  const isMissing = diagnosis.backends.some(({ status }) => status === "missing");
  if (!isSound(diagnosis) || (options.backends.length > 0 && isMissing) || !isWritten) return 1;
  return diagnosis.interrupted ? interruptedStatus : 0;
}

interface Opened {
  readonly candidate: Candidate;
  readonly backend: OpenedBackend;
}

async function diagnose(
  candidates: readonly Candidate[],
  options: DoctorOptions,
  version: string,
): Promise<Diagnosis> {
  const signal = interruption();
  const started = performance.now();
  const date = new Date().toISOString();
  const progress = new Progress();
  const report = new Report(painter(process.stdout), widthOf(process.stdout));
  const print = (text: string): void => {
    progress.clear();
    process.stdout.write(text);
  };

  /** The time so far, as 2:05. */
  const minutes = (): string => {
    const seconds = Math.floor((performance.now() - started) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };

  const machine = thisMachine();
  print(report.machine(version, machine));
  const found: ({ name: string } & Awaited<ReturnType<Candidate["open"]>>)[] = [];
  const opened: Opened[] = [];
  for (const candidate of candidates) {
    progress.show(`Looking for ${candidate.name}`);
    const backend = await open(candidate);
    found.push({ name: candidate.name, ...backend });
    if (!("missing" in backend)) opened.push({ candidate, backend });
  }
  print(report.backends(found));

  try {
    const checked = [];
    for (const { candidate, backend } of opened) {
      progress.show(`Checking ${candidate.name}`);
      checked.push(
        await checkBackend(candidate, backend, options, {
          signal,
          onProgress: (completed, total, check) =>
            progress.show(
              `Checking ${candidate.name}: ${completed} of ${total}, ${minutes()}, ${check}`,
            ),
        }),
      );
      if (signal.aborted) break;
    }
    if (checked.length > 0) print(report.checks(checked));

    progress.show("Checking the check");
    const mutants = signal.aborted
      ? undefined
      : await checkMutants(options, {
          signal,
          onProgress: (completed, total) =>
            progress.show(`Checking the check: ${completed} of ${total}, ${minutes()}`),
        });
    if (mutants !== undefined && mutants.total > 0) print(report.mutants(mutants));

    const speed =
      signal.aborted || !options.speed || opened.length === 0
        ? undefined
        : await measureSpeed(
            opened.map(({ candidate: { name }, backend }) => ({ name, backend })),
            { parameters: 1_000_000, rounds: options.full ? 51 : 15, turnMs: 10 },
            signal,
            (round) => progress.show(`Measuring, round ${round + 1}`),
          ).catch((error: unknown) => {
            print(report.unmeasured(messageOf(error)));
            return undefined;
          });
    if (speed !== undefined) print(report.speed(speed));

    const missing = found.flatMap((one): BackendDiagnosis[] =>
      "missing" in one
        ? [{ name: one.name, status: "missing", reason: one.missing, remedy: one.remedy }]
        : [],
    );
    const diagnosis: Diagnosis = {
      version,
      date,
      machine,
      backends: [...checked, ...missing],
      ...(mutants === undefined ? {} : { mutants }),
      ...(speed === undefined ? {} : { speed }),
      seconds: (performance.now() - started) / 1000,
      interrupted: signal.aborted,
    };
    print(`\n${report.verdict(diagnosis)}`);
    return diagnosis;
  } finally {
    progress.clear();
    for (const { backend } of opened) backend.dispose();
  }
}

/** Opens a backend. One that cannot be opened is missing, and the others are still checked. */
async function open({ open: openBackend }: Candidate): ReturnType<Candidate["open"]> {
  try {
    return await openBackend();
  } catch (error) {
    return {
      missing: `it could not be opened: ${messageOf(error).replace(/\.$/, "")}`,
      remedy: "Run the command again. If it says so again, report it.",
    };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Rejects a file that cannot be written, before a minute is spent. @throws {UsageError} */
function checkFile(name: string): void {
  const path = resolve(userDirectory(), name);
  const isFolder = (one: string): boolean =>
    statSync(one, { throwIfNoEntry: false })?.isDirectory() === true;
  if (name === "" || isFolder(path) || !isFolder(dirname(path)))
    throw new UsageError(`Got --json "${name}"; expected a file in a folder that exists.`);
  const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
  try {
    closeSync(openSync(path, "a"));
  } catch {
    throw new UsageError(`Got --json "${name}"; expected a file that may be written.`);
  }
  if (!isThere) rmSync(path);
}

/** Writes the document. @returns whether it could be written; if not, says why */
function write(diagnosis: Diagnosis, name: string): boolean {
  try {
    writeFileSync(resolve(userDirectory(), name), jsonOf(diagnosis));
  } catch (error) {
    process.stderr.write(`Could not write ${name}: ${messageOf(error)}.\n`);
    return false;
  }
  process.stdout.write(`Written to ${name}.\n`);
  return true;
}
