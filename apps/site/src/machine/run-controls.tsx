import { backendTitles } from "../backends/browser-backends.js";
import type { CheckRun } from "./check-run.js";

/** How far a run is. */
interface RunProgress {
  readonly text: string;
  /** From 0 to 1. */
  readonly fraction: number;
}

interface RunControlsProps {
  readonly startLabel: string;
  readonly stopLabel: string;
  readonly isRunning: boolean;
  readonly isDisabled: boolean;
  readonly progress: RunProgress;
  readonly failure: string | undefined;
  /** What a screen reader says when it changes. */
  readonly announcement: string;
  readonly onStart: () => void;
  readonly onStop: () => void;
}

/** Starts and stops a run, and shows how far it is. */
export function RunControls(props: RunControlsProps) {
  const { startLabel, stopLabel, isRunning, isDisabled, progress } = props;
  const { failure, announcement, onStart, onStop } = props;
  return (
    <div class="machine-run">
      {isRunning ? (
        <button type="button" class="machine-button" onClick={onStop}>
          {stopLabel}
        </button>
      ) : (
        <button
          type="button"
          class="machine-button machine-button-primary"
          disabled={isDisabled}
          onClick={onStart}
        >
          {startLabel}
        </button>
      )}
      {isRunning && (
        <>
          <progress aria-label={startLabel} max={1} value={progress.fraction} />
          <span class="machine-progress">{progress.text}</span>
        </>
      )}
      {failure !== undefined && <p role="alert">{failure}</p>}
      <span class="visually-hidden" role="status">
        {announcement}
      </span>
    </div>
  );
}

/** How far the checks are: each backend and the mutants are a part. */
export function progressOfChecks(run: CheckRun | undefined): RunProgress {
  if (run?.current === undefined) return { text: "Starting", fraction: 0 };
  const { what, completed, total } = run.current;
  const parts = run.backends.length + 1;
  const before =
    what === "mutants" ? parts - 1 : run.backends.findIndex(({ name }) => name === what);
  const title = titleOf(what);
  return {
    text: `${title}: ${completed} of ${total}`,
    fraction: (before + completed / Math.max(1, total)) / parts,
  };
}

const titleOf = (what: NonNullable<CheckRun["current"]>["what"]): string =>
  what === "mutants" ? "Broken backends" : backendTitles[what];

/** What a screen reader says of the checks: each backend as it begins, and the end. */
export function announcementOfChecks(run: CheckRun | undefined): string {
  if (run === undefined) return "";
  const failed = run.backends.filter(
    ({ failure, results }) =>
      failure !== undefined || results.some(({ status }) => status === "failed"),
  );
  if (run.state === "stopped") return "The checks are stopped.";
  if (run.current !== undefined) return `Checking: ${titleOf(run.current.what)}.`;
  if (run.state === "running") return "The checks begin.";
  if (failed.length === 0) return "The checks are finished: every backend is right.";
  return `The checks are finished. Not right: ${failed.map(({ name }) => backendTitles[name]).join(", ")}.`;
}
