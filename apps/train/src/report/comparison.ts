import {
  duration,
  lossText,
  milliseconds,
  percent,
  failureOf,
  optimizerFraction,
} from "@gradstep/digits";
import { count } from "@gradstep/apps-shared/format";
import { median } from "@gradstep/apps-shared/median";
import { backendTitles } from "../backend.js";
import { type BackendComparison, type Comparison, libraries } from "../comparison/compare.js";
import { lossDifferenceSentence, speedupSentence } from "../comparison/text.js";
import { overlaidLossCurves } from "./curves.js";
import { legend, section, table, tile } from "./html.js";
import { failureNotice } from "./failure-notice.js";

/** The part of a report that compares: times per optimizer step first, then the losses, then the whole trainings. */
export function comparisonSections({ backends }: Comparison): string {
  const [{ backend, runs }] = backends;
  const tiles = backends.flatMap((compared) =>
    compared.speedup === undefined
      ? []
      : [
          tile(
            milliseconds(median(compared.runs.gradstep.optimizerTimes)),
            `per optimizer step with gradstep, ${milliseconds(median(compared.runs["TF.js"].optimizerTimes))} with TF.js, on ${backendTitles[compared.backend]}`,
          ),
        ],
  );
  const hasSteps = runs.gradstep.batchLosses.length > 0;
  return `<div class="figures">\n${tiles.join("\n")}\n</div>
${failureNotices(backends)}
<div class="cards">
${hasSteps ? section("Optimizer time per step", stepTimes(backends)) : ""}
${hasSteps ? section(`Training loss on ${backendTitles[backend]}`, `${overlaidLossCurves(runs.gradstep, runs["TF.js"])}${legend(namedColors)}`) : ""}
${section("Whole trainings", `${runTable(backends)}\n<p class="quiet">${lossDifferenceSentence(backends)}</p>`, "wide")}
</div>`;
}

const namedColors = [
  ["first", "gradstep"],
  ["second", "TF.js"],
] as const;

function failureNotices(backends: readonly BackendComparison[]): string {
  return backends
    .flatMap(({ backend, runs }) =>
      libraries.flatMap((library) => {
        const failure = failureOf(runs[library]);
        if (failure === undefined) return [];
        return [failureNotice(failure, `${library} on ${backendTitles[backend]}: `)];
      }),
    )
    .join("\n");
}

/** A bar for each training; the longer one of a backend has the full width. */
function stepTimes(backends: readonly BackendComparison[]): string {
  const steps = backends[0].runs.gradstep.optimizerTimes.length;
  const withSteps = backends.filter(({ speedup }) => speedup !== undefined);
  const charts = withSteps.map((compared) => {
    const { backend, runs } = compared;
    const times = libraries.map((library) => median(runs[library].optimizerTimes));
    const longest = Math.max(...times);
    const bars = libraries.map((library, index) => {
      const width = ((times[index] / longest) * 100).toFixed(1);
      return `<dt>${library}</dt><dd><i style="width: ${width}%; background: var(--${namedColors[index][0]})"></i></dd><dd>${milliseconds(times[index])}</dd>`;
    });
    return `<h3>${backendTitles[backend]}: ${speedupSentence(compared)}</h3>\n<dl class="bars">${bars.join("\n")}</dl>`;
  });
  return `${charts.join("\n")}
<p class="legend">Median of ${count(steps, "step")}. The two trainings of a backend took turns, one step each.</p>`;
}

function runTable(backends: readonly BackendComparison[]): string {
  const rows = backends.flatMap(({ backend, runs }) =>
    libraries.map((library) => {
      const { evaluation, seconds, history } = runs[library];
      return [
        `${backendTitles[backend]}, ${library}`,
        percent(evaluation.accuracy),
        duration(seconds),
        percent(optimizerFraction(runs[library]), 1),
        lossText(evaluation.loss),
        history.length > 0 ? lossText(history[history.length - 1].loss) : "–",
      ];
    }),
  );
  const headings = [
    "",
    "held\u2011out accuracy",
    "training time",
    "of it in the optimizer",
    "held\u2011out loss",
    "training loss, last epoch",
  ];
  return table([headings, ...rows]);
}
