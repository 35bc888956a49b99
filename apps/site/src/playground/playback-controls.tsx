import { useEffect } from "preact/hooks";
import type { PlaygroundModel } from "./playground-model.js";

interface PlaybackControlsProps {
  readonly model: PlaygroundModel;
}

/** Steps per second that can be chosen. */
const speeds = [5, 15, 60, 240, 1000];

/** Play, pause, single steps, speed, and a slider over the steps. */
export function PlaybackControls({ model }: PlaybackControlsProps) {
  const { steps } = model.state.value;
  const isPlaying = model.isPlaying.value;
  const shown = Math.floor(model.shownSteps.value);
  useEffect(() => {
    if (!isPlaying) return undefined;
    let before: number | undefined;
    let frame = requestAnimationFrame(function advance(now: number) {
      const seconds = before === undefined ? 0 : Math.min(0.1, (now - before) / 1000);
      before = now;
      const next = Math.min(steps, model.shownSteps.value + seconds * model.speed.value);
      model.shownSteps.value = next;
      if (next < steps) frame = requestAnimationFrame(advance);
      else model.isPlaying.value = false;
    });
    return () => cancelAnimationFrame(frame);
  }, [isPlaying, steps]);
  useEffect(() => {
    if (model.shownSteps.value > steps) model.shownSteps.value = steps;
  }, [steps]);
  const goTo = (step: number): void => {
    model.isPlaying.value = false;
    model.shownSteps.value = Math.max(0, Math.min(steps, step));
  };
  const toggle = (): void => {
    if (isPlaying) goTo(shown);
    else {
      if (shown >= steps) model.shownSteps.value = 0;
      model.isPlaying.value = true;
    }
  };
  // Buttons that can't be used now keep the focus: they are not disabled.
  return (
    <div class="playground-playback" role="group" aria-label="Playback">
      <button type="button" onClick={toggle}>
        {isPlaying ? "Pause" : "Play"}
      </button>
      <button type="button" onClick={() => goTo(shown - 1)} aria-disabled={shown <= 0}>
        <span aria-hidden="true" dir="ltr">
          −1
        </span>
        <span class="visually-hidden">One step back</span>
      </button>
      <button type="button" onClick={() => goTo(shown + 1)} aria-disabled={shown >= steps}>
        <span aria-hidden="true" dir="ltr">
          +1
        </span>
        <span class="visually-hidden">One step on</span>
      </button>
      <input
        type="range"
        aria-label="Step shown"
        min={0}
        max={steps}
        step={1}
        value={shown}
        onInput={(event) => goTo(event.currentTarget.valueAsNumber)}
      />
      {/* A screen reader would not come to the end of what plays. */}
      <output aria-live={isPlaying ? "off" : "polite"}>
        {shown} / {steps}
      </output>
      <label>
        Speed{" "}
        <select
          value={model.speed.value}
          onChange={(event) => (model.speed.value = Number(event.currentTarget.value))}
        >
          {speeds.map((speed) => (
            <option key={speed} value={speed}>
              {speed} steps per second
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
