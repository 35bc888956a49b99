import cliProgress from "cli-progress";
import type { Epoch, Observer, Progress } from "../run.js";
import { clock, duration, lossText, percent } from "./figures.js";
import type { Screen } from "./screen.js";

/** Widths of the table's columns. */
const widths = {
  epoch: 7,
  loss: 10,
  accuracy: 10,
  validationLoss: 17,
  validationAccuracy: 10,
  speed: 10,
  time: 9,
};

/** Characters of the live line beside the bar itself. */
const textBesideBar = 66;

/**
 * A line for every epoch and, on a live screen, a bar below it that moves with every step.
 * `close` takes the bar away, also in the middle of an epoch.
 */
export function progressOn(screen: Screen, epochs: number): Observer & { close(): void } {
  const { paint } = screen;
  const barWidth = Math.max(8, Math.min(40, screen.columns - 1 - textBesideBar));
  const bar = new cliProgress.SingleBar({
    stream: screen.stream,
    format: (_options, _params, progress: { stepsPerEpoch: number } & Progress) =>
      liveLine(progress),
    clearOnComplete: true,
    hideCursor: true,
    // Ctrl-C is ours: the bar would put an end to the process.
    gracefulExit: false,
    fps: 12,
  });
  let stepsPerEpoch = 0;
  let open = false;
  // A second Ctrl-C ends the process at once; the cursor comes back all the same.
  process.once("exit", close);

  function liveLine({
    epoch,
    step,
    loss,
    accuracy,
    stepsPerSecond,
    secondsLeft,
  }: Progress): string {
    const done = Math.round((step / stepsPerEpoch) * barWidth);
    return [
      epochText(epoch, epochs),
      paint.cyan("━".repeat(done)) + paint.dim("─".repeat(barWidth - done)),
      `loss ${lossText(loss)}`,
      percent(accuracy).padStart(7),
      `${stepsPerSecond.toFixed(0).padStart(4)} steps/s`,
      `${clock(secondsLeft)} left`,
    ].join("  ");
  }

  function close(): void {
    if (!open) return;
    open = false;
    bar.stop();
  }

  return {
    onStart(steps) {
      stepsPerEpoch = steps;
      screen.print(paint.dim(headings()));
    },
    onStep(progress) {
      if (!screen.live) return;
      if (!open) bar.start(stepsPerEpoch, progress.step, progress);
      open = true;
      // Its own timer cannot fire while a step computes.
      bar.update(progress.step, progress);
    },
    onEpoch(epoch) {
      close();
      screen.print(epochLine(epoch));
    },
    close,
  };

  function epochLine({
    epoch,
    loss,
    accuracy,
    validationLoss,
    validationAccuracy,
    steps,
    seconds,
  }: Epoch): string {
    return [
      epochText(epoch, epochs),
      lossText(loss).padStart(widths.loss),
      percent(accuracy).padStart(widths.accuracy),
      lossText(validationLoss).padStart(widths.validationLoss),
      paint.bold(percent(validationAccuracy).padStart(widths.validationAccuracy)),
      (steps / seconds).toFixed(0).padStart(widths.speed),
      duration(seconds).padStart(widths.time),
    ].join("");
  }
}

function headings(): string {
  return [
    "epoch".padStart(widths.epoch),
    "loss".padStart(widths.loss),
    "accuracy".padStart(widths.accuracy),
    "held-out: loss".padStart(widths.validationLoss),
    "accuracy".padStart(widths.validationAccuracy),
    "steps/s".padStart(widths.speed),
    "time".padStart(widths.time),
  ].join("");
}

function epochText(epoch: number, epochs: number): string {
  return `${epoch}/${epochs}`.padStart(widths.epoch);
}
