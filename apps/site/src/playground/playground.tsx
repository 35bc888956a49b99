import { useId } from "preact/hooks";
import { QueryProblems } from "../url-state/query-problems.js";
import { BackendComparison } from "./backend-comparison.js";
import { ExplanationView } from "./explanation-view.js";
import { MapView } from "./map-view.js";
import { PlaybackControls } from "./playback-controls.js";
import type { PlaygroundModel } from "./playground-model.js";
import { RaceSettings } from "./race-settings.js";
import { RuleEditor } from "./rule-editor.js";
import { RunnerList } from "./runner-list.js";
import { ValueCurves } from "./value-curves.js";
import { ValuesTable } from "./values-table.js";

interface PlaygroundProps {
  readonly model: PlaygroundModel;
}

/** Optimizers that race over a contour map. */
export function Playground({ model }: PlaygroundProps) {
  const id = useId();
  const edited = model.editedRule.value;
  return (
    <div class="playground">
      <QueryProblems problems={model.problems.value} />
      {model.failure.value !== undefined && (
        <p role="alert" class="demo-failure">
          {model.failure}
        </p>
      )}
      {!model.isInAddress.value && (
        <p role="alert" class="playground-error">
          This view is too long for an address: it is gone when the page is closed.
        </p>
      )}
      <RaceSettings model={model} />
      <div class="playground-columns">
        <div>
          <MapView model={model} tableId={`${id}-values`} />
          <PlaybackControls model={model} />
          <ValuesTable model={model} id={`${id}-values`} />
          <ValueCurves model={model} />
        </div>
        <RunnerList model={model} />
      </div>
      {edited !== undefined && Object.hasOwn(model.state.value.rules, edited) && (
        <RuleEditor key={edited} model={model} name={edited} />
      )}
      <ExplanationView model={model} />
      <BackendComparison model={model} />
    </div>
  );
}
