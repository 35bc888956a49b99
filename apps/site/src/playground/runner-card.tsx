import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { backendNames, backendTitles, type BackendName } from "../backends/browser-backends.js";
import { HyperparameterControls } from "../controls/hyperparameter-controls.js";
import { moveFocus } from "../controls/move-focus.js";
import { ChoiceToAdd } from "./choice-to-add.js";
import { namedPart, partByName } from "./optimizer-spec.js";
import type { Lane, PlaygroundModel } from "./playground-model.js";
import {
  keptSettings,
  withoutPart,
  withOwnRule,
  withRule,
  withSetting,
  withStage,
} from "./runner-edits.js";
import { RunnerRate } from "./runner-rate.js";
import type { Runner } from "./runner.js";

interface RunnerCardProps {
  readonly model: PlaygroundModel;
  readonly lane: Lane;
}

/** One optimizer: its line, and, when it is open, its parts, settings and backend. */
export function RunnerCard({
  model,
  lane: { index, runner, label, style, error },
}: RunnerCardProps) {
  const { runners, rules: ownRules } = model.state.value;
  const isOpen = model.openLane.value === index;
  const replace = (changed: Runner): void =>
    model.update({ runners: runners.map((one, i) => (i === index ? changed : one)) });
  const edit = (part: number): void => {
    const { name } = runner.parts[part];
    if (Object.hasOwn(ownRules, name)) {
      model.edit(name);
      return;
    }
    const own = withOwnRule(runner, part, ownRules);
    model.update({
      runners: [...runners, own.runner],
      rules: { ...ownRules, [own.name]: own.text },
    });
    model.edit(own.name);
  };
  return (
    <>
      <details
        class="playground-runner"
        open={isOpen}
        onToggle={(event) => {
          if (event.currentTarget.open) model.openLane.value = index;
          else if (isOpen) model.openLane.value = undefined;
        }}
      >
        <summary>
          <LineSample color={style.color} dash={style.dash} />
          <span>{label}</span>
        </summary>
        {error !== undefined && (
          <p role="alert" class="playground-error">
            {error}
          </p>
        )}
        {isOpen && (
          <>
            {runner.parts.map((part, i) => {
              const named = namedPart(part.name, ownRules);
              if (named === undefined) return null;
              return (
                <fieldset key={named.stage === undefined ? "rule" : part.name}>
                  <legend>{part.name}</legend>
                  <div class="playground-row">
                    {named.stage === undefined ? (
                      <>
                        <label>
                          Rule{" "}
                          <select
                            value={part.name}
                            onChange={(event) =>
                              replace(
                                withRule(
                                  runner,
                                  i,
                                  partByName(event.currentTarget.value, ownRules).rule,
                                ),
                              )
                            }
                          >
                            {[...Object.keys(ownRules), ...rules.map(({ name }) => name)].map(
                              (name) => (
                                <option key={name}>{name}</option>
                              ),
                            )}
                          </select>
                        </label>
                        <button type="button" onClick={() => edit(i)}>
                          Edit the mathematics
                        </button>
                      </>
                    ) : (
                      <button
                        type="button"
                        onClick={({ currentTarget }) => {
                          moveFocus(currentTarget.closest(".playground-runner")!, "summary");
                          replace(withoutPart(runner, i));
                        }}
                      >
                        Remove {part.name}
                      </button>
                    )}
                  </div>
                  <HyperparameterControls
                    rule={named.rule}
                    settings={keptSettings(part.settings, named.rule)}
                    steps={model.state.value.steps}
                    onChange={(name, value) =>
                      replace(withSetting(runner, i, named.rule, name, value))
                    }
                  />
                </fieldset>
              );
            })}
            <div class="playground-row">
              <ChoiceToAdd
                label="Add a stage"
                onAdd={(name) => replace(withStage(runner, name, ownRules))}
              >
                {stages
                  .filter(({ name }) => runner.parts.every((part) => part.name !== name))
                  .map(({ name }) => (
                    <option key={name}>{name}</option>
                  ))}
              </ChoiceToAdd>
              <label>
                Backend{" "}
                <select
                  value={runner.backend ?? ""}
                  onChange={(event) => {
                    const { value } = event.currentTarget;
                    replace({
                      ...runner,
                      backend: value === "" ? undefined : (value as BackendName),
                    });
                  }}
                >
                  <option value="">As the others</option>
                  {backendNames.map((name) => (
                    <option key={name} value={name}>
                      {backendTitles[name]}
                    </option>
                  ))}
                </select>
              </label>
            </div>
            <div class="playground-row">
              <button type="button" onClick={() => model.update({ runners: [...runners, runner] })}>
                Duplicate
              </button>
              <button
                type="button"
                onClick={({ currentTarget }) => {
                  moveFocus(
                    currentTarget.closest(".playground-runners")!,
                    `.playground-runner:nth-of-type(${Math.min(index + 1, runners.length - 1)}) summary`,
                    ".playground-add select",
                  );
                  model.openLane.value = undefined;
                  model.inspection.value = undefined;
                  model.update({ runners: runners.filter((_, i) => i !== index) });
                }}
              >
                Remove {label}
              </button>
            </div>
          </>
        )}
      </details>
      {!isOpen && error === undefined && (
        <RunnerRate runner={runner} label={label} ownRules={ownRules} onChange={replace} />
      )}
    </>
  );
}

function LineSample({ color, dash }: { readonly color: string; readonly dash: readonly number[] }) {
  return (
    <svg class="playground-line" viewBox="0 0 28 8" aria-hidden="true">
      <line
        x1="1"
        y1="4"
        x2="27"
        y2="4"
        stroke={`var(${color})`}
        stroke-width="3"
        stroke-dasharray={dash.join(" ")}
      />
    </svg>
  );
}
