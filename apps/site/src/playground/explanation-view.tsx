import type { ExplainedLine } from "@gradstep/core";
import { useId, useState } from "preact/hooks";
import { effectiveLines } from "./effective-lines.js";
import { shortNumber } from "../number-text.js";
import type { PlaygroundModel } from "./playground-model.js";

interface ExplanationViewProps {
  readonly model: PlaygroundModel;
}

/** A step of a path: each line of the rule with its numbers, for x and for y. */
export function ExplanationView({ model }: ExplanationViewProps) {
  const id = useId();
  const [hasAllLines, setHasAllLines] = useState(false);
  const lanes = model.lanes.value;
  const inspection = model.inspection.value;
  const explanation = model.explanation.value;
  const lane = inspection && lanes[inspection.lane];
  const last = Math.max(0, (lane?.path?.values.length ?? 2) - 2);
  const places =
    explanation === undefined
      ? []
      : hasAllLines
        ? explanation[0].lines.map((_, i) => i)
        : effectiveLines(explanation[0].lines, explanation[1].lines);
  return (
    <section class="playground-explanation" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>A step explained</h2>
      <p>Point at a path, or choose a step: each line of the rule with its numbers.</p>
      <div class="playground-row">
        <label>
          Optimizer{" "}
          <select
            value={inspection?.lane ?? ""}
            onChange={(event) => {
              const index = event.currentTarget.value;
              model.inspection.value =
                index === "" ? undefined : { lane: Number(index), step: inspection?.step ?? 0 };
            }}
          >
            <option value="">None</option>
            {lanes.map(({ index, label }) => (
              <option key={index} value={index}>
                {label}
              </option>
            ))}
          </select>
        </label>
        {inspection !== undefined && lane !== undefined && (
          <label>
            Step{" "}
            <input
              type="number"
              min={1}
              max={last + 1}
              value={Math.min(inspection.step, last) + 1}
              onInput={(event) => {
                const step = event.currentTarget.valueAsNumber;
                if (Number.isInteger(step) && step >= 1)
                  model.inspection.value = { ...inspection, step: Math.min(step - 1, last) };
              }}
            />
          </label>
        )}
        <label>
          <input
            type="checkbox"
            checked={hasAllLines}
            onChange={(event) => setHasAllLines(event.currentTarget.checked)}
          />{" "}
          Also lines that change nothing here
        </label>
      </div>
      {lane !== undefined && explanation !== undefined && (
        <div class="playground-table" role="region" aria-labelledby={`${id}-caption`} tabIndex={0}>
          <table class="playground-lines">
            <caption id={`${id}-caption`}>
              <span class="playground-swatch" style={{ background: `var(${lane.style.color})` }} />
              {explanation[0].rule}, step {explanation[0].step}: from (
              {shortNumber(explanation[0].before)}, {shortNumber(explanation[1].before)}) to (
              {shortNumber(explanation[0].after)}, {shortNumber(explanation[1].after)}), with the
              gradient g = ({shortNumber(explanation[0].gradient)},{" "}
              {shortNumber(explanation[1].gradient)})
            </caption>
            <thead>
              <tr>
                <th scope="col">Line of the rule</th>
                <th scope="col">x</th>
                <th scope="col">y</th>
              </tr>
            </thead>
            <tbody>
              {places.map((line, i) => (
                <LineRow
                  key={line}
                  x={explanation[0].lines[line]}
                  y={explanation[1].lines[line]}
                  isFirst={
                    i === 0 ||
                    explanation[0].lines[places[i - 1]].when !== explanation[0].lines[line].when
                  }
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

interface LineRowProps {
  readonly x: ExplainedLine;
  readonly y: ExplainedLine;
  /** Whether it is the first that is computed per step, or per element. */
  readonly isFirst: boolean;
}

function LineRow({ x, y, isFirst }: LineRowProps) {
  const isPerStep = x.when === "per step";
  return (
    <>
      {isFirst && (
        <tr class="playground-when">
          <th scope="rowgroup" colSpan={3}>
            {isPerStep ? "Once per step, for all elements" : "Per element"}
          </th>
        </tr>
      )}
      <tr>
        <th scope="row">
          <code>{x.text}</code>
        </th>
        <td colSpan={isPerStep ? 2 : 1}>
          <LineNumbers line={x} />
        </td>
        {!isPerStep && (
          <td>
            <LineNumbers line={y} />
          </td>
        )}
      </tr>
    </>
  );
}

/** The value of a line, and how it comes about: its right side with numbers in the place of names. */
function LineNumbers({ line: { text, value, reads } }: { readonly line: ExplainedLine }) {
  const right = text.slice(text.indexOf("=") + 1).trim();
  const filled = right.replaceAll(/[A-Za-z_]\w*/g, (name) => {
    const read = Object.hasOwn(reads, name) ? reads[name] : undefined;
    if (read === undefined) return name;
    return read < 0 ? `(${shortNumber(read, 3)})` : shortNumber(read, 3);
  });
  return (
    <>
      <strong>{shortNumber(value, 5)}</strong>
      {filled !== shortNumber(value, 3) && <small>= {filled}</small>}
    </>
  );
}
