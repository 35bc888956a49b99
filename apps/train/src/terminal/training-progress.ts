import {
  clock,
  duration,
  lossText,
  percent,
  rateText,
  type Epoch,
  type Observer,
} from "@gradstep/digits";
import { count, threeDigits } from "@gradstep/apps-shared/format";
import { liveLineOn } from "./live-line.js";
import type { Screen } from "./screen.js";
import { type Column, fittingColumns, headingLines, rowLine } from "./table.js";

/** A line for every epoch and, on a live screen, a bar below it that moves with every batch. */
export function trainingProgress(screen: Screen, epochs: number): Observer & { close(): void } {
  const { paint } = screen;
  const columns = fittingColumns(columnsFor(epochs), screen.columns);
  const live = liveLineOn(screen);
  let batchesPerEpoch = 0;
  let hasHeadings = false;
  return {
    onStart(batches) {
      batchesPerEpoch = batches;
    },
    onResume(from) {
      if (from === undefined) {
        screen.printWrapped("No checkpoint yet: starts from the beginning.", paint.dim);
        return;
      }
      for (const id of from.damaged)
        screen.printWrapped(`${id} is damaged; an older checkpoint is used.`, paint.yellow);
      const { epoch, batch, steps } = from;
      screen.printWrapped(
        `Resumed after batch ${batch} of ${batchesPerEpoch} in epoch ${epochText(epoch, epochs)}, ${count(steps, "step")}`,
        paint.bold,
      );
    },
    onBatch({ epoch, batch, loss, accuracy, batchesPerSecond, secondsLeft }) {
      live.update(batch, batchesPerEpoch, epochText(epoch, epochs), [
        `${clock(secondsLeft)} left`,
        `loss ${lossText(loss)}`,
        percent(accuracy).padStart(8),
        `${threeDigits(batchesPerSecond)} batches/s`,
      ]);
    },
    onEpoch(epoch) {
      live.close();
      // Not before there is a row, or a training that is stopped early would leave an empty table.
      if (!hasHeadings) for (const line of headingLines(columns)) screen.print(paint.dim(line));
      hasHeadings = true;
      screen.print(
        rowLine(columns, epoch, (text, { rank }) => (rank === 1 ? paint.bold(text) : text)),
      );
    },
    close: () => live.close(),
  };
}

function columnsFor(epochs: number): readonly Column<Epoch>[] {
  return [
    { name: "epoch", width: 7, rank: 0, cell: ({ epoch }) => epochText(epoch, epochs) },
    { group: "training", name: "loss", width: 8, rank: 4, cell: ({ loss }) => lossText(loss) },
    {
      group: "training",
      name: "accuracy",
      width: 8,
      rank: 5,
      cell: ({ accuracy }) => percent(accuracy),
    },
    {
      group: "held-out",
      name: "loss",
      width: 8,
      rank: 2,
      cell: ({ validationLoss }) => lossText(validationLoss),
    },
    {
      group: "held-out",
      name: "accuracy",
      width: 8,
      rank: 1,
      cell: ({ validationAccuracy }) => percent(validationAccuracy),
    },
    {
      name: "batches/s",
      width: 9,
      rank: 6,
      cell: ({ batches, seconds }) => threeDigits(batches / seconds),
    },
    {
      group: "learning",
      name: "rate",
      width: 8,
      rank: 7,
      cell: ({ learningRate }) => rateText(learningRate),
    },
    { name: "time", width: 7, rank: 3, cell: ({ seconds }) => duration(seconds) },
  ];
}

export function epochText(epoch: number, epochs: number): string {
  return `${epoch}/${epochs}`;
}
