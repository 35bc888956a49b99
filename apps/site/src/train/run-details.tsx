import { optimizers } from "@gradstep/digits/optimizers";
import { useSignal } from "@preact/signals";
import { backendTitles } from "../backends/browser-backends.js";
import { moveFocus } from "../controls/move-focus.js";
import { HyperparameterControls } from "../controls/hyperparameter-controls.js";
import { LazyDetails } from "../controls/lazy-details.js";
import { CheckpointDownload } from "./checkpoint-download.js";
import type { HyperparameterChange } from "./live-hyperparameters.js";
import type { Run } from "./run.js";
import type { RunList } from "./run-list.js";
import { ruleOf, type RunSettings } from "./run-settings.js";

interface RunDetailsProps {
  readonly list: RunList;
  readonly run: Run;
  /** Takes the settings of the run, without changes on the way, for the next one. */
  readonly onReuse: (settings: RunSettings) => void;
}

/** One run: its commands, its name, its hyperparameters while it trains, and the digest of its weights. */
export function RunDetails({ list, run, onReuse }: RunDetailsProps) {
  const digest = run.digest.value;
  const failure = run.error.value ?? run.result.value?.failure;
  const isFinished = run.status.value === "finished";
  return (
    <section class="train-details" aria-label="Selected run">
      <div class="train-field">
        <label for="train-name">Name</label>
        <input
          id="train-name"
          value={run.name.value}
          onChange={(event) => {
            const name = event.currentTarget.value.trim();
            if (name !== "") run.name.value = name;
            else event.currentTarget.value = run.name.value;
          }}
        />
      </div>
      <RunCommands list={list} run={run} onReuse={onReuse} />
      {failure !== undefined && (
        <p class="train-failure" role="alert">
          {failure}
        </p>
      )}
      {!run.isKept.value && (
        <p role="status">
          This browser lets the page store nothing: the run is lost when the tab is closed.
        </p>
      )}
      <dl class="train-facts">
        <dt>Trained</dt>
        <dd>
          <Trained run={run} />
        </dd>
        <dt>Weights</dt>
        <dd>
          {digest === undefined ? (
            "A digest of their bits is here when the run is paused or finished."
          ) : (
            <>
              SHA-256 <code class="train-digest">{digest}</code>
            </>
          )}
        </dd>
      </dl>
      {!isFinished && <LiveControls run={run} />}
      <Changes changes={run.repeatableSettings.changes ?? []} />
    </section>
  );
}

/** The only part that changes with every report. */
function Trained({ run: { settings, batches, totalBatches } }: { readonly run: Run }) {
  return (
    <>
      {optimizers[settings.optimizer].title} on {backendTitles[settings.backend]}, {batches} of{" "}
      {totalBatches} batches of {settings.batchSize}, seed {settings.seed}
    </>
  );
}

function RunCommands({ list, run, onReuse }: RunDetailsProps) {
  const status = run.status.value;
  const { changes: _, ...settings } = run.settings;
  const canPause = ["training", "loading", "waiting"].includes(status);
  const canStart = status === "paused" || status === "failed";
  return (
    <div class="train-commands">
      {/* They keep the focus: one button for two commands, and one that is not disabled. */}
      {(canPause || canStart) && (
        <>
          <button type="button" onClick={() => (canPause ? void run.pause() : list.start(run))}>
            {canPause ? "Pause" : "Continue"}
          </button>
          <button
            type="button"
            aria-disabled={!canStart}
            onClick={() => {
              if (canStart) list.step(run);
            }}
          >
            One batch
          </button>
        </>
      )}
      {run.hasBegun.value && <CheckpointDownload run={run} />}
      <button type="button" onClick={() => onReuse(settings)}>
        Use its settings
      </button>
      <button
        type="button"
        class="train-delete"
        onClick={({ currentTarget }) => {
          const page = currentTarget.closest(".train")!;
          void list.remove(run);
          moveFocus(page, '.train-select[aria-pressed="true"]', ".train-start");
        }}
      >
        Delete
      </button>
    </div>
  );
}

/** The hyperparameters of a run that goes on. */
function LiveControls({ run }: { readonly run: Run }) {
  const error = useSignal<string | undefined>(undefined);
  const set = async (name: string, value: HyperparameterChange["value"]): Promise<void> => {
    try {
      await run.setHyperparameter(name, value);
      error.value = undefined;
    } catch (thrown) {
      error.value = thrown instanceof Error ? thrown.message : String(thrown);
    }
  };
  return (
    <LazyDetails class="train-more" summary="Change its hyperparameters while it trains">
      {() => (
        <>
          {run.status.value === "training" || run.isOpen ? (
            <HyperparameterControls
              rule={ruleOf(run.settings.optimizer)}
              settings={run.rule.value}
              options={[]}
              steps={run.totalBatches}
              onChange={(name, value) => void set(name, value as HyperparameterChange["value"])}
            />
          ) : (
            <p>Continue the run first.</p>
          )}
          {error.value !== undefined && (
            <p class="train-failure" role="alert">
              {error.value}
            </p>
          )}
        </>
      )}
    </LazyDetails>
  );
}

function Changes({ changes }: { readonly changes: readonly HyperparameterChange[] }) {
  if (changes.length === 0) return null;
  return (
    <details class="train-more">
      <summary>
        {changes.length === 1 ? "1 change" : `${changes.length} changes`} of hyperparameters
      </summary>
      <ul class="train-changes">
        {changes.map(({ batch, name, value }) => (
          <li key={`${batch} ${name}`}>
            After batch {batch}: {name} ={" "}
            {typeof value === "number"
              ? value
              : `${value.schedule} ${JSON.stringify(value.options)}`}
          </li>
        ))}
      </ul>
    </details>
  );
}
