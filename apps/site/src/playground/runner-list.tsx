import { rules } from "@gradstep/core/rules";
import { useId, useRef } from "preact/hooks";
import { moveFocus } from "../controls/move-focus.js";
import { ChoiceToAdd } from "./choice-to-add.js";
import { partByName } from "./optimizer-spec.js";
import type { PlaygroundModel } from "./playground-model.js";
import { RunnerCard } from "./runner-card.js";
import { newRunner } from "./runner-edits.js";

interface RunnerListProps {
  readonly model: PlaygroundModel;
}

/** The optimizers that race, with their settings. */
export function RunnerList({ model }: RunnerListProps) {
  const id = useId();
  const section = useRef<HTMLElement>(null);
  const { runners, rules: ownRules } = model.state.value;
  const add = (name: string): void => {
    const runner = Object.hasOwn(ownRules, name)
      ? { parts: [{ name, settings: {} }] }
      : newRunner(partByName(name, {}).rule);
    model.update({ runners: [...runners, runner] });
    model.openLane.value = runners.length;
    moveFocus(section.current!, ".playground-runner:last-of-type summary");
  };
  return (
    <section ref={section} class="playground-runners" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>Optimizers</h2>
      {model.lanes.value.map((lane) => (
        <RunnerCard key={lane.index} model={model} lane={lane} />
      ))}
      <ChoiceToAdd label="Add an optimizer" onAdd={add}>
        {Object.keys(ownRules).length > 0 && (
          <optgroup label="Your own">
            {Object.keys(ownRules).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </optgroup>
        )}
        <optgroup label="Built in">
          {rules.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </optgroup>
      </ChoiceToAdd>
    </section>
  );
}
