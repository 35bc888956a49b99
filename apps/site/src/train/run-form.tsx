import { optimizerNames, optimizers, type OptimizerName } from "@gradstep/digits/optimizers";
import { batch } from "@preact/signals";
import { useId, useState } from "preact/hooks";
import { availableBackends } from "../backends/browser-backends.js";
import { BackendPicker } from "../controls/backend-picker.js";
import { HyperparameterControls } from "../controls/hyperparameter-controls.js";
import { LazyDetails } from "../controls/lazy-details.js";
import { comparisons } from "./comparisons.js";
import { NumberField } from "./number-field.js";
import type { RunList } from "./run-list.js";
import {
  ruleOf,
  totalBatches,
  trainingBackends,
  trainingDigits,
  withLength,
  withOptimizer,
  type RunSettings,
} from "./run-settings.js";

interface RunFormProps {
  readonly list: RunList;
  readonly settings: RunSettings;
  readonly onChange: (settings: RunSettings) => void;
}

/** Starts the next run, or several. */
export function RunStart({ list, settings, onChange }: RunFormProps) {
  const id = useId();
  return (
    <form
      class="train-start-bar"
      aria-label="New run"
      onSubmit={(event) => {
        event.preventDefault();
        list.add(nameOf(list, settings), settings);
      }}
    >
      <div class="train-field">
        <label for={id}>Optimizer</label>
        <div class="train-pair">
          <select
            id={id}
            value={settings.optimizer}
            onChange={(event) =>
              onChange(withOptimizer(settings, event.currentTarget.value as OptimizerName))
            }
          >
            {optimizerNames.map((name) => (
              <option key={name} value={name}>
                {optimizers[name].title}
              </option>
            ))}
          </select>
          <button class="train-start" type="submit">
            Start the run
          </button>
        </div>
      </div>
      <ComparisonStart list={list} settings={settings} />
    </form>
  );
}

/** The settings of the next run. */
export function RunForm({ settings, onChange }: Omit<RunFormProps, "list">) {
  const rule = ruleOf(settings.optimizer);
  const others = Object.keys(rule.hyperparameters).filter((name) => name !== "learningRate");
  const change = (part: Partial<RunSettings>): void => onChange({ ...settings, ...part });
  const setRule = (name: string, value: RunSettings["rule"][string]): void =>
    change({ rule: { ...settings.rule, [name]: value } });
  const steps = totalBatches(settings);
  return (
    <section class="train-form" aria-label="Settings of the next run">
      <HyperparameterControls
        rule={rule}
        settings={settings.rule}
        names={["learningRate"]}
        options={[]}
        steps={steps}
        onChange={setRule}
      />
      <BackendPicker
        names={trainingBackends}
        value={settings.backend}
        onChange={(backend) => change({ backend })}
      />
      <div class="train-fields">
        <NumberField
          label="Epochs"
          value={settings.epochs}
          min={1}
          max={100}
          onChange={(epochs) => onChange(withLength(settings, { epochs: epochs ?? 1 }))}
        />
        <NumberField
          label="Batch size"
          value={settings.batchSize}
          min={1}
          max={trainingDigits}
          onChange={(batchSize) => onChange(withLength(settings, { batchSize: batchSize ?? 64 }))}
        />
        <NumberField
          label="Seed"
          value={settings.seed}
          min={0}
          max={2 ** 32 - 1}
          onChange={(seed) => change({ seed: seed ?? 1 })}
        />
      </div>
      <LazyDetails class="train-more" summary="Hyperparameters and stages">
        {() => (
          <>
            <HyperparameterControls
              rule={rule}
              settings={settings.rule}
              names={others}
              steps={steps}
              onChange={setRule}
            />
            <div class="train-fields">
              <NumberField
                label="Clip to global norm"
                value={settings.clip}
                min={0}
                isFraction
                isOptional
                onChange={(clip) => onChange(withOptional(settings, "clip", clip || undefined))}
              />
              <NumberField
                label="EMA momentum"
                value={settings.ema}
                min={0}
                max={0.9999}
                isFraction
                isOptional
                onChange={(ema) => onChange(withOptional(settings, "ema", ema))}
              />
            </div>
          </>
        )}
      </LazyDetails>
    </section>
  );
}

/** Starts several runs that differ in one thing. */
function ComparisonStart({ list, settings }: Pick<RunFormProps, "list" | "settings">) {
  const id = useId();
  const [name, setName] = useState(comparisons[0].name);
  const start = async (): Promise<void> => {
    const available = await availableBackends();
    const backends = trainingBackends.filter((backend) =>
      available.some((one) => one.name === backend && one.reason === undefined),
    );
    const { runs } = comparisons.find((one) => one.name === name)!;
    batch(() => {
      for (const run of runs(settings, backends)) list.add(run.name, run.settings);
    });
  };
  return (
    <div class="train-field">
      <label for={id}>Compare</label>
      <div class="train-pair">
        <select id={id} value={name} onChange={(event) => setName(event.currentTarget.value)}>
          {comparisons.map((one) => (
            <option key={one.name} value={one.name}>
              {one.title}
            </option>
          ))}
        </select>
        <button type="button" onClick={() => void start()}>
          Start all
        </button>
      </div>
    </div>
  );
}

/** The optimizer's title, with a number if there is such a run. */
function nameOf(list: RunList, { optimizer }: RunSettings): string {
  const { title } = optimizers[optimizer];
  const names = list.runs.value.map((run) => run.name.value);
  if (!names.includes(title)) return title;
  let number = 2;
  while (names.includes(`${title} ${number}`)) number += 1;
  return `${title} ${number}`;
}

function withOptional(
  settings: RunSettings,
  name: "clip" | "ema",
  value: number | undefined,
): RunSettings {
  const { [name]: _, ...rest } = settings;
  return value === undefined ? rest : { ...rest, [name]: value };
}
