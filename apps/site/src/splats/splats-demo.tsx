import { useEffect, useRef, useState } from "preact/hooks";
import { QueryProblems } from "../url-state/query-problems.js";
import { readUrlState, writeUrlState } from "../url-state/url-state.js";
import { isSameTraining, queryOfState, stateOfQuery } from "./demo-state.js";
import type { DemoState, Preferences } from "./demo-state.js";
import type { Progress } from "./fitting.js";
import { Panels } from "./panels.js";
import type { PictureSource } from "./pictures/load-picture.js";
import { pictureProblem } from "./pictures/picture-problem.js";
import { Session, type PageCanvases } from "./session.js";
import { SettingsPanel } from "./settings-panel.js";
import { attributeNames } from "./splat-rows.js";
import { Statistics, summary } from "./statistics.js";

/** A change of a setting starts a training after this many milliseconds without another one. */
const settleMilliseconds = 300;

interface SplatsDemoProps {
  readonly preferences: Preferences;
  /** Whether it trains at once. */
  readonly isRunningAtFirst: boolean;
}

/** Fits splats to a picture, in a worker. */
export function SplatsDemo({ preferences, isRunningAtFirst }: SplatsDemoProps) {
  const [address] = useState(() => stateOfQuery(readUrlState(), preferences));
  const [state, setState] = useState(address.state);
  const [source, setSource] = useState<PictureSource>("landscape");
  const [progress, setProgress] = useState<Progress>();
  const [failure, setFailure] = useState<string>();
  /** Why a file did not become the picture. The training of the picture before goes on. */
  const [refusal, setRefusal] = useState<string>();
  /** The name of a file that is being decoded. */
  const [reading, setReading] = useState<string>();
  /** The file that was chosen last, until it is the picture. */
  const chosen = useRef<File>(undefined);
  /** What holds now, for what waited meanwhile. */
  const stateNow = useRef(state);
  stateNow.current = state;
  /** The number of sessions that were given up. */
  const [failures, setFailures] = useState(0);
  const session = useRef<Session>(undefined);
  const restart = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(
    () => () => {
      clearTimeout(restart.current);
      session.current?.dispose();
    },
    [],
  );

  const isRunning = failure === undefined && (progress?.isRunning ?? false);
  const wasRunning = useRef(false);
  useEffect(() => {
    // A training that is not seen waits.
    const follow = (): void => {
      if (document.hidden) wasRunning.current = isRunning;
      if (wasRunning.current)
        session.current?.call((remote) => (document.hidden ? remote.pause() : remote.play()));
    };
    document.addEventListener("visibilitychange", follow);
    return () => document.removeEventListener("visibilitychange", follow);
  }, [isRunning]);

  const start = async (
    next: DemoState,
    picture: PictureSource,
    isRunning = true,
  ): Promise<void> => {
    clearTimeout(restart.current);
    setFailure(undefined);
    setRefusal(undefined);
    const begun = session.current?.start(picture, next, isRunning);
    session.current?.call((remote) => remote.setEllipses(next.ellipses));
    await begun;
  };

  const open = (canvases: PageCanvases): void => {
    session.current?.dispose();
    setProgress(undefined);
    session.current = new Session(state.backend, canvases, {
      onProgress: setProgress,
      // What fails after a failure fails because of it.
      onFailure: (message, isCause = false) =>
        setFailure((first) => (isCause ? message : (first ?? message))),
    });
    void start(state, source, progress === undefined ? isRunningAtFirst : true);
  };

  const change = (next: DemoState): void => {
    setState(next);
    writeUrlState(queryOfState(next, preferences));
    for (const name of attributeNames) {
      const rate = next.rates[name];
      if (rate !== state.rates[name]) session.current?.call((remote) => remote.setRate(name, rate));
    }
    if (next.ellipses !== state.ellipses)
      session.current?.call((remote) => remote.setEllipses(next.ellipses));
    // Another backend has other canvases, and `open` starts it.
    if (next.backend !== state.backend || isSameTraining(state, next)) return;
    clearTimeout(restart.current);
    restart.current = setTimeout(() => void start(next, source), settleMilliseconds);
  };

  const fit = async (file: File): Promise<void> => {
    chosen.current = file;
    setReading(file.name);
    const problem = await pictureProblem(file);
    // Another picture may have been chosen meanwhile.
    if (chosen.current !== file) return;
    if (problem === undefined) {
      setSource(file);
      await start(stateNow.current, file);
    } else setRefusal(problem);
    if (chosen.current === file) setReading(undefined);
  };

  /** After a failure, such as a device that was lost, in a new worker with new canvases. */
  const restartTraining = (): void => {
    if (failure === undefined) void start(state, source);
    else setFailures(failures + 1);
  };
  const isFinished =
    failure !== undefined || (progress !== undefined && progress.step >= progress.steps);
  // Buttons that can't be used now keep the focus: they are not disabled.
  return (
    <section class="splats" aria-label="Fit splats to a picture">
      <QueryProblems problems={address.problems} />
      <div class="splats-toolbar">
        <button
          type="button"
          class="splats-primary"
          aria-disabled={progress === undefined && failure === undefined}
          onClick={() => {
            if (isFinished) restartTraining();
            else if (progress !== undefined)
              session.current?.call((remote) => (isRunning ? remote.pause() : remote.play()));
          }}
        >
          {isFinished ? "Train again" : isRunning ? "Pause" : "Train"}
        </button>
        <button
          type="button"
          aria-disabled={progress === undefined || isFinished}
          onClick={() => {
            if (progress !== undefined && !isFinished)
              session.current?.call((remote) => remote.step());
          }}
        >
          One step
        </button>
        <button type="button" onClick={restartTraining}>
          Restart
        </button>
        <PictureChoice
          isOwn={source !== "landscape"}
          onFile={(file) => void fit(file)}
          onLandscape={() => {
            chosen.current = undefined;
            setReading(undefined);
            setSource("landscape");
            void start(state, "landscape");
          }}
        />
        <label>
          Layout
          <select
            value={state.layout}
            onChange={({ currentTarget }) =>
              change({ ...state, layout: currentTarget.value === "slider" ? "slider" : "panels" })
            }
          >
            <option value="panels">Side by side</option>
            <option value="slider">Slider</option>
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            checked={state.ellipses}
            onChange={({ currentTarget }) => change({ ...state, ellipses: currentTarget.checked })}
          />
          Ellipses
        </label>
      </div>
      {[failure, refusal].map(
        (text) =>
          text !== undefined && (
            <p key={text} class="demo-failure" role="alert">
              {text}
            </p>
          ),
      )}
      <Panels
        key={`${state.backend} ${failures}`}
        layout={state.layout}
        ellipses={state.ellipses}
        description={progress === undefined ? "The fit" : summary(progress)}
        onCanvases={open}
        onFile={(file) => void fit(file)}
      />
      <p class="splats-status" role="status">
        {reading !== undefined
          ? `Reading ${reading} …`
          : progress !== undefined && !isRunning && summary(progress)}
      </p>
      {progress !== undefined && <Statistics {...progress} />}
      <SettingsPanel state={state} onChange={change} />
    </section>
  );
}

interface PictureChoiceProps {
  readonly isOwn: boolean;
  readonly onFile: (file: File) => void;
  readonly onLandscape: () => void;
}

/** A file of the visitor, which never leaves the browser, or the picture that ships. */
function PictureChoice({ isOwn, onFile, onLandscape }: PictureChoiceProps) {
  return (
    <>
      <label class="splats-file">
        Your own picture
        <input
          type="file"
          accept="image/*"
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            if (file !== undefined) onFile(file);
            // The same file may be chosen again.
            currentTarget.value = "";
          }}
        />
      </label>
      {isOwn && (
        <button type="button" onClick={onLandscape}>
          Lake at sunset
        </button>
      )}
    </>
  );
}
