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
  readonly onStart: () => void;
  readonly onStop: () => void;
}

/** Starts and stops a run, and shows how far it is. */
export function RunControls(props: RunControlsProps) {
  const { startLabel, stopLabel, isRunning, isDisabled, progress, failure, onStart, onStop } =
    props;
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
  const title = what === "mutants" ? "Broken backends" : backendTitles[what];
  return {
    text: `${title}: ${completed} of ${total}`,
    fraction: (before + completed / Math.max(1, total)) / parts,
  };
}
