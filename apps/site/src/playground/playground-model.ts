import { batch, computed, effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { wrap, type Remote } from "comlink";
import { brokenWorker } from "../broken-worker.js";
import type { ReadQuery } from "../url-state/query-reader.js";
import { fitsUrl, pushUrlState, readUrlState, writeUrlState } from "../url-state/url-state.js";
import type { ContourMap } from "./contour-map.js";
import { LatestOnly } from "./latest-only.js";
import type { Path, StepExplanation } from "./path.js";
import type { PlaygroundEngine, Trace } from "./playground-engine.js";
import { fromQuery, raceOf, surfaceOf, toQuery, type PlaygroundState } from "./playground-state.js";
import { lineStyle, type LineStyle } from "./runner-colors.js";
import { runnerLabels } from "./runner-label.js";
import type { Runner } from "./runner.js";
import type { Surface } from "./surfaces.js";

/** A runner with what the page shows of it. */
export interface Lane {
  readonly index: number;
  readonly runner: Runner;
  readonly label: string;
  readonly style: LineStyle;
  readonly trace: Trace;
  /** The last path that was computed; undefined before the first. */
  readonly path: Path | undefined;
  /** Why there is no path for these settings. */
  readonly error: string | undefined;
}

/** The step of a runner that is explained. */
export interface Inspection {
  readonly lane: number;
  /** Number of steps before it. */
  readonly step: number;
}

/** What a trace gave. */
interface Result {
  readonly path?: Path;
  readonly error?: string;
}

/** Values per side of the map that the function is evaluated at. */
const resolution = 180;
/** Paths that are kept for settings that come back. */
const maxResults = 100;

/** The state of a playground, and the worker that computes what it shows. */
export class PlaygroundModel {
  readonly state: Signal<PlaygroundState>;
  readonly problems: Signal<readonly string[]>;
  /** Whether the address has the whole view. */
  readonly isInAddress: ReadonlySignal<boolean>;
  readonly surface: ReadonlySignal<Surface>;
  readonly lanes: ReadonlySignal<readonly Lane[]>;
  readonly contours = signal<ContourMap>([]);
  /** How many steps of the paths are shown; between two steps while it plays. */
  readonly shownSteps = signal(0);
  readonly isPlaying = signal(true);
  /** Steps per second. */
  readonly speed = signal(60);
  readonly inspection = signal<Inspection | undefined>(undefined);
  /** The place of the runner whose settings are open. */
  readonly openLane = signal<number | undefined>(undefined);
  /** The name of the own rule in the editor. */
  readonly editedRule: ReadonlySignal<string | undefined>;
  /** Whether the visitor has opened the editor, and not the address. */
  hasOpenedEditor = false;
  readonly #editedRule = signal<string | undefined>(undefined);
  readonly explanation = signal<StepExplanation | undefined>(undefined);
  readonly engine: Remote<PlaygroundEngine>;
  /** Why nothing is computed any more. */
  readonly failure = signal<string | undefined>(undefined);
  readonly #results = signal<ReadonlyMap<string, Result>>(new Map());
  /** Results that no frame has shown yet. */
  readonly #arrived = new Map<string, Result>();
  #frame: number | undefined;
  readonly #lastPaths = new Map<number, Path>();
  readonly #tasks = new LatestOnly<string>();

  /** @param signal ends the worker */
  constructor(ended: AbortSignal) {
    const worker = new Worker(new URL("./playground.worker.ts", import.meta.url), {
      type: "module",
    });
    this.engine = wrap<PlaygroundEngine>(worker);
    brokenWorker(worker).catch((error: unknown) => {
      this.failure.value = messageOf(error);
    });
    const { state, problems } = fromQuery(readUrlState());
    this.state = signal(state);
    this.problems = signal(problems);
    this.#editedRule.value = Object.keys(state.rules)[0];
    this.editedRule = this.#editedRule;
    this.restart();
    this.isInAddress = computed(() => fitsUrl(toQuery(this.state.value)));
    this.surface = computed(() => surfaceOf(this.state.value));
    const traces = computed(() => tracesOf(this.state.value));
    this.lanes = computed(() => this.#lanesOf(this.state.value.runners, traces.value));
    const ends = [
      effect(() => writeUrlState(toQuery(this.state.value))),
      effect(() => this.#computeContours(this.surface.value)),
      effect(() => traces.value.forEach((trace, index) => this.#computePath(index, trace))),
      effect(() => this.#computeExplanation(this.inspection.value, this.lanes.value)),
    ];
    ended.addEventListener("abort", () => {
      ends.forEach((end) => end());
      if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
      worker.terminate();
    });
  }

  /** Changes the state. */
  update(changes: Partial<PlaygroundState>): void {
    this.state.value = { ...this.state.value, ...changes };
  }

  /** Shows another view from its start, as a new entry of the history. */
  open(query: Readonly<Record<string, string>>): void {
    pushUrlState(toQuery(this.#viewOf(query).state));
    this.#show(query);
  }

  /** Shows the view of the address, if it is another one: a heading of the page has an address, too. */
  showAddress(): void {
    const query = readUrlState();
    const { state } = fromQuery(query);
    if (JSON.stringify(toQuery(state)) !== JSON.stringify(toQuery(this.state.peek())))
      this.#show(query);
  }

  /** Opens the editor with an own rule, and closes it without one. */
  edit(name: string | undefined): void {
    this.hasOpenedEditor = name !== undefined;
    this.#editedRule.value = name;
  }

  /** Plays from the start, or shows whole paths to a visitor who prefers less motion. */
  restart(): void {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.shownSteps.value = isCalm ? this.state.value.steps : 0;
    this.isPlaying.value = !isCalm;
  }

  #show(query: Readonly<Record<string, string>>): void {
    batch(() => {
      const { state, problems } = this.#viewOf(query);
      this.state.value = state;
      this.problems.value = problems;
      this.inspection.value = undefined;
      this.openLane.value = undefined;
      this.hasOpenedEditor = false;
      this.#editedRule.value = Object.keys(state.rules)[0];
      this.restart();
    });
  }

  /** The view of a query, on the present backend if it names none. */
  #viewOf(query: Readonly<Record<string, string>>): ReadQuery<PlaygroundState> {
    const { state, problems } = fromQuery(query);
    const backend = query.backend ? state.backend : this.state.peek().backend;
    return { state: { ...state, backend }, problems };
  }

  #lanesOf(runners: readonly Runner[], traces: readonly Trace[]): readonly Lane[] {
    const labels = runnerLabels(runners);
    const results = this.#results.value;
    return runners.map((runner, index): Lane => {
      const trace = traces[index];
      const { path, error } = results.get(keyOf(trace)) ?? {};
      if (path !== undefined) this.#lastPaths.set(index, path);
      const shown = error === undefined ? (path ?? this.#lastPaths.get(index)) : undefined;
      return {
        index,
        runner,
        label: labels[index],
        style: lineStyle(index),
        trace,
        path: shown,
        error,
      };
    });
  }

  #computePath(index: number, trace: Trace): void {
    const key = keyOf(trace);
    if (this.#results.peek().has(key) || this.#arrived.has(key)) return;
    this.#tasks.run(`path ${index}`, async () => {
      const result = await this.engine.trace(trace).then(
        (path): Result => ({ path }),
        (error: unknown): Result => ({ error: messageOf(error) }),
      );
      this.#arrived.set(key, result);
      this.#frame ??= requestAnimationFrame(() => this.#showArrived());
    });
  }

  /** Shows the paths that have arrived since the last frame, all at once. */
  #showArrived(): void {
    this.#frame = undefined;
    const results = [...this.#results.peek(), ...this.#arrived];
    this.#arrived.clear();
    this.#results.value = new Map(results.slice(-maxResults));
  }

  #computeContours({ formula, extent }: Surface): void {
    this.#tasks.run("contours", async () => {
      this.contours.value = await this.engine.contours(formula, extent, resolution, resolution);
    });
  }

  #computeExplanation(inspection: Inspection | undefined, lanes: readonly Lane[]): void {
    const lane = inspection && lanes[inspection.lane];
    if (lane?.path === undefined || inspection === undefined) {
      this.explanation.value = undefined;
      return;
    }
    const { trace, path } = lane;
    const step = Math.min(inspection.step, path.values.length - 2);
    if (step < 0) {
      this.explanation.value = undefined;
      return;
    }
    this.#tasks.run("explanation", async () => {
      this.explanation.value = await this.engine
        .explain(trace, path.points, step)
        .catch(() => undefined);
    });
  }
}

function tracesOf(state: PlaygroundState): readonly Trace[] {
  const race = raceOf(state);
  return state.runners.map(({ parts, backend = state.backend }): Trace => {
    const used = Object.entries(state.rules).filter(([name]) =>
      parts.some((part) => part.name === name),
    );
    return { parts, backend, race, rules: Object.fromEntries(used) };
  });
}

function keyOf(trace: Trace): string {
  return JSON.stringify(trace);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
