import { classes, percent, side } from "@gradstep/digits";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Drawing, drawingSize } from "./drawing.js";
import { InkCanvas } from "./ink-canvas.js";
import { mostProbableDigit } from "./most-probable-digit.js";
import type { Run } from "./run.js";
import type { RunList } from "./run-list.js";

/** What the runs answer for a picture: a row per run. */
interface Answer {
  readonly run: Run;
  readonly probabilities: Float32Array;
}

/** Points that an arrow key moves the pen. */
const keyStep = 4;

const penAtStart = { x: drawingSize / 2, y: drawingSize / 4, isDown: false };

const arrows: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-keyStep, 0],
  ArrowRight: [keyStep, 0],
  ArrowUp: [0, -keyStep],
  ArrowDown: [0, keyStep],
};

/** A pad on which a digit is drawn, and what the networks of the shown runs see in it. */
export function DigitPad({ list }: { readonly list: RunList }) {
  const drawing = useRef(new Drawing()).current;
  const pixels = useSignal<Float32Array | undefined>(undefined);
  const pen = useSignal(penAtStart);
  const version = useSignal(0);
  const answers = useSignal<readonly Answer[]>([]);
  const caption = useSignal("");
  const selected = list.selectedRun;

  const moveTo = (x: number, y: number, draws: boolean): void => {
    if (draws) {
      drawing.line(pen.value.x, pen.value.y, x, y);
      version.value += 1;
    }
    pen.value = { ...pen.value, x, y };
  };
  const recognise = async (given: Float32Array): Promise<void> => {
    pixels.value = given;
    const shown = list.runs.value.filter((run) => run.isOpen && !run.isHidden.value);
    const found = await Promise.all(
      shown.map(async (run) => ({ run, probabilities: await run.recognise(given) })),
    );
    // Another picture may have come meanwhile, or the pad been cleared.
    if (pixels.peek() !== given) return;
    answers.value = found.filter((one): one is Answer => one.probabilities !== undefined);
    const [first] = answers.value;
    if (first === undefined) return;
    list.announcement.value = answers.value
      .map(({ run, probabilities }) => `${run.name.value} sees ${seenIn(probabilities, "a ")}`)
      .join(", ");
  };
  const finishStroke = (): void => {
    caption.value = "your digit";
    if (!drawing.isEmpty) void recognise(drawing.pixels());
  };
  const clear = (): void => {
    drawing.clear();
    pen.value = penAtStart;
    version.value += 1;
    pixels.value = undefined;
    answers.value = [];
    caption.value = "";
  };
  const takeHeldOut = async (): Promise<void> => {
    const digit = await selected?.heldOutDigit(Math.random());
    if (digit === undefined) return;
    clear();
    caption.value = `a held-out ${digit.label}`;
    await recognise(digit.pixels);
  };

  // The weights change while a run trains.
  const isTraining = list.runs.value.some((run) => run.status.value === "training");
  useEffect(() => {
    if (!isTraining) return;
    const timer = setInterval(() => {
      if (pixels.value !== undefined) void recogniseQuietly();
    }, 1000);
    return () => clearInterval(timer);
  }, [isTraining]);
  const recogniseQuietly = async (): Promise<void> => {
    const before = list.announcement.value;
    await recognise(pixels.value!);
    list.announcement.value = before;
  };

  const isOpen = selected?.isOpen === true && selected.status.value !== "loading";
  return (
    <section class="train-digit" aria-labelledby="train-digit-title">
      <h3 id="train-digit-title">Draw a digit</h3>
      {!isOpen && selected !== undefined && (
        <p>
          The network of {selected.name} is not loaded.{" "}
          <button type="button" disabled={selected.isBusy} onClick={() => list.open(selected)}>
            Load it
          </button>
        </p>
      )}
      <div class="train-pad-row">
        <div>
          <InkCanvas
            class="train-pad"
            size={drawingSize}
            ink={drawing.ink}
            version={version.value}
            pen={pen.value}
            label="Drawing pad. Arrow keys move the pen, Space puts it down and lifts it, Delete clears the pad."
            onPointer={(x, y, phase) => {
              if (phase === "start") pen.value = { x, y, isDown: false };
              moveTo(x, y, true);
              if (phase === "end") finishStroke();
            }}
            onKey={(key) => {
              const way = arrows[key];
              const { x, y, isDown } = pen.value;
              if (way !== undefined) {
                const inside = (value: number) => Math.min(drawingSize - 1, Math.max(0, value));
                moveTo(inside(x + way[0]), inside(y + way[1]), isDown);
              } else if (key === " ") {
                pen.value = { x, y, isDown: !isDown };
                if (isDown) finishStroke();
                else moveTo(x, y, true);
              } else if (key === "Delete" || key === "Backspace") clear();
              else return false;
              return true;
            }}
          />
          <div class="train-commands">
            <button type="button" onClick={clear}>
              Clear
            </button>
            <button type="button" disabled={!isOpen} onClick={() => void takeHeldOut()}>
              A held-out digit
            </button>
          </div>
        </div>
        {pixels.value !== undefined && (
          <figure class="train-seen">
            <InkCanvas
              class="train-seen-pixels"
              size={side}
              ink={pixels.value}
              version={0}
              label="What the network gets: 28 by 28 pixels"
            />
            <figcaption>{caption}</figcaption>
          </figure>
        )}
        {answers.value.length > 0 && <Answers answers={answers.value} />}
      </div>
    </section>
  );
}

/** The probabilities of each run. */
function Answers({ answers }: { readonly answers: readonly Answer[] }) {
  const digits = Array.from({ length: classes }, (_, digit) => digit);
  return (
    <div class="train-scroll" tabIndex={0} role="region" aria-label="Probabilities">
      <table class="train-answers">
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">Sees</th>
            {digits.map((digit) => (
              <th key={digit} scope="col">
                {digit}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {answers.map(({ run, probabilities }) => {
            return (
              <tr key={run.id}>
                <th scope="row" class="train-run-name" title={run.name.value}>
                  {run.name}
                </th>
                <td class="train-best">{seenIn(probabilities)}</td>
                {digits.map((digit) => (
                  <td key={digit} title={percent(probabilities[digit])}>
                    <span
                      class="train-bar"
                      style={{ height: `${Math.round((probabilities[digit] || 0) * 36)}px` }}
                    />
                    <small>{percent(probabilities[digit], 0).replace(" %", "")}</small>
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
        <caption>Probabilities in percent</caption>
      </table>
    </div>
  );
}

/** @param article before a digit */
function seenIn(probabilities: Float32Array, article = ""): string {
  const digit = mostProbableDigit(probabilities);
  return digit === undefined ? "nothing" : `${article}${digit}`;
}
