import {
  clock,
  milliseconds,
  percent,
  type Epoch,
  type Observer,
  type Progress,
} from "@gradstep/digits";
import type { Library } from "../comparison/compare.js";
import { liveLineOn } from "./live-line.js";
import type { Screen } from "./screen.js";
import { type Column, fittingColumns, headingLines, rowLine } from "./table.js";
import { epochText } from "./training-progress.js";

/** The same epoch of both trainings. */
type EpochPair = Readonly<Record<Library, Epoch>>;

/**
 * A line for every epoch of two trainings that take turns, with the time that each optimizer takes per step, and a live
 * bar with both times so far.
 */
export function comparisonProgress(
  screen: Screen,
  epochs: number,
): Readonly<Record<Library, Observer>> & { close(): void } {
  const columns = fittingColumns(columnsFor(epochs), screen.columns);
  const live = liveLineOn(screen);
  const latest: Partial<Record<Library, Progress>> = {};
  const finished: Partial<Record<Library, Epoch>> = {};
  let batchesPerEpoch = 0;
  let hasHeadings = false;

  function observer(library: Library): Observer {
    return {
      onStart(batches) {
        batchesPerEpoch = batches;
      },
      onBatch(progress) {
        latest[library] = progress;
        const { gradstep, "TF.js": tfjs } = latest;
        // After TF.js's batch, both have had the same number of batches.
        if (library !== "TF.js" || gradstep === undefined || tfjs === undefined) return;
        live.update(progress.batch, batchesPerEpoch, epochText(progress.epoch, epochs), [
          `gradstep ${milliseconds(gradstep.optimizerSecondsPerBatch)}`,
          `TF.js ${milliseconds(tfjs.optimizerSecondsPerBatch)}`,
          `${clock(gradstep.secondsLeft + tfjs.secondsLeft)} left`,
        ]);
      },
      onEpoch(epoch) {
        finished[library] = epoch;
        const { gradstep, "TF.js": tfjs } = finished;
        if (gradstep === undefined || tfjs === undefined || gradstep.epoch !== tfjs.epoch) return;
        live.close();
        if (!hasHeadings)
          for (const line of headingLines(columns)) screen.print(screen.paint.dim(line));
        hasHeadings = true;
        screen.print(rowLine(columns, { gradstep, "TF.js": tfjs }));
      },
    };
  }

  return { gradstep: observer("gradstep"), "TF.js": observer("TF.js"), close: () => live.close() };
}

function columnsFor(epochs: number): readonly Column<EpochPair>[] {
  return [
    {
      name: "epoch",
      width: 7,
      rank: 0,
      cell: ({ gradstep: { epoch } }) => epochText(epoch, epochs),
    },
    {
      group: "optimizer per step",
      name: "gradstep",
      width: 11,
      rank: 1,
      cell: ({ gradstep }) => milliseconds(gradstep.optimizerSecondsPerBatch),
    },
    {
      group: "optimizer per step",
      name: "TF.js",
      width: 11,
      rank: 1,
      cell: ({ "TF.js": tfjs }) => milliseconds(tfjs.optimizerSecondsPerBatch),
    },
    {
      group: "held-out accuracy",
      name: "gradstep",
      width: 10,
      rank: 2,
      cell: ({ gradstep }) => percent(gradstep.validationAccuracy),
    },
    {
      group: "held-out accuracy",
      name: "TF.js",
      width: 10,
      rank: 2,
      cell: ({ "TF.js": tfjs }) => percent(tfjs.validationAccuracy),
    },
  ];
}
