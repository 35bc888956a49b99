import "../playground/map-colors.css";
import "../playground/map.css";
import type { ContourMap } from "../playground/contour-map.js";
import type { Track } from "../playground/draw-paths.js";
import { RaceMap } from "./race-map.js";
import { RacePlayer } from "./race-player.js";
import { race } from "./race.js";
import { recalled, type RecordedRaces } from "./recorded-races.js";
import type { RaceAnswer, RaceRequest } from "./race.worker.js";

/** Values per row of the map that the function is evaluated at. */
const columns = 240;

interface HomeRaceEvents {
  readonly onPaused: (isPaused: boolean) => void;
  readonly onFailure: () => void;
}

/**
 * The race of the first page, played while it is in sight. Some races come with the page; a click on the map runs another
 * one in a worker.
 */
export class HomeRace {
  readonly #worker = new Worker(new URL("./race.worker.ts", import.meta.url), { type: "module" });
  readonly #recorded: RecordedRaces;
  readonly #map: RaceMap;
  readonly #player: RacePlayer;
  readonly #onPaused: (isPaused: boolean) => void;
  #next = 0;

  /** @param signal ends it */
  constructor(
    place: HTMLElement,
    recorded: RecordedRaces,
    { onPaused, onFailure }: HomeRaceEvents,
    signal: AbortSignal,
  ) {
    this.#recorded = recorded;
    this.#onPaused = onPaused;
    this.#map = new RaceMap(place);
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#player = new RacePlayer(race.steps, isCalm, {
      onSteps: (steps) => this.#map.showSteps(steps),
      onEnd: () => this.showAnother(),
    });
    onPaused(isCalm);
    this.#worker.addEventListener("error", onFailure);
    this.#worker.addEventListener("message", ({ data }: MessageEvent<RaceAnswer>) => {
      if (isMap(data)) this.#map.showContours(data);
      else this.#show(data);
    });
    this.#ask({ columns });
    this.showAnother();

    const size = new ResizeObserver(([{ contentRect }]) =>
      this.#map.resize(contentRect.width, contentRect.height),
    );
    size.observe(place);
    const sight = new IntersectionObserver(([{ isIntersecting }]) => {
      this.#player.isInSight = isIntersecting;
    });
    sight.observe(place);
    const theme = new MutationObserver(() => this.#map.drawAll());
    theme.observe(document.documentElement, { attributeFilter: ["class"] });
    place.addEventListener("click", (event) => this.#ask({ start: this.#map.pointAt(event) }), {
      signal,
    });
    signal.addEventListener("abort", () => {
      for (const observer of [size, sight, theme]) observer.disconnect();
      this.#player.dispose();
      this.#worker.terminate();
    });
  }

  /** Shows the next of the races that come with the page. */
  showAnother(): void {
    this.#show(this.#recorded[this.#next].map(recalled));
    this.#next = (this.#next + 1) % this.#recorded.length;
  }

  togglePause(): void {
    this.#player.isPaused = !this.#player.isPaused;
    this.#onPaused(this.#player.isPaused);
  }

  #show(paths: readonly Track[]): void {
    this.#map.showPaths(paths);
    this.#player.restart();
  }

  #ask(request: RaceRequest): void {
    this.#worker.postMessage(request);
  }
}

const isMap = (answer: RaceAnswer): answer is ContourMap => "ringEnds" in answer[0];
