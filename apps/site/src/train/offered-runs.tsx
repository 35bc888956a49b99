import type { NamedSettings } from "./comparisons.js";

interface OfferedRunsProps {
  readonly runs: readonly NamedSettings[];
  readonly onStart: () => void;
  readonly onIgnore: () => void;
}

/** The runs of an address that somebody shared, to be started here. */
export function OfferedRuns({ runs, onStart, onIgnore }: OfferedRunsProps) {
  if (runs.length === 0) return null;
  const names = new Intl.ListFormat("en").format(runs.map(({ name }) => name));
  return (
    <section class="train-offered" aria-label="Runs of the address">
      <p>
        The address has {runs.length === 1 ? "a run" : `${runs.length} runs`} that you have not
        trained: {names}.
      </p>
      <div class="train-commands">
        <button type="button" class="train-start" onClick={onStart}>
          {runs.length === 1 ? "Train it" : "Train them"}
        </button>
        <button type="button" onClick={onIgnore}>
          Ignore
        </button>
      </div>
    </section>
  );
}
