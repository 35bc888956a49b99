import { contextOf, mapColors } from "../playground/canvas-drawing.js";
import type { ContourMap } from "../playground/contour-map.js";
import { drawContours } from "../playground/draw-contours.js";
import { drawPaths, type Track } from "../playground/draw-paths.js";
import { MapProjection } from "../playground/map-projection.js";
import { lineStyle } from "../playground/runner-colors.js";
import type { Point } from "../playground/surfaces.js";
import { race, runnerNames } from "./race.js";

/** The map of the first page: the playground's drawings on two canvases, and marks. */
export class RaceMap {
  readonly #place: HTMLElement;
  readonly #contourCanvas = document.createElement("canvas");
  readonly #pathCanvas = document.createElement("canvas");
  readonly #start = mark("home-race-start");
  readonly #minima = race.minima.map((point) => ({ point, element: mark("playground-minimum") }));
  #projection = new MapProjection(race.extent, 0, 0);
  #contours: ContourMap = [];
  #paths: readonly Track[] = [];
  #shownSteps = 0;

  constructor(place: HTMLElement) {
    this.#place = place;
    const marks = this.#minima.map(({ element }) => element);
    for (const element of [this.#contourCanvas, this.#pathCanvas, ...marks, this.#start])
      element.setAttribute("aria-hidden", "true");
    place.append(this.#contourCanvas, ...marks, this.#pathCanvas, this.#start);
  }

  resize(width: number, height: number): void {
    this.#projection = new MapProjection(race.extent, width, height);
    this.drawAll();
  }

  showContours(contours: ContourMap): void {
    this.#contours = contours;
    this.drawAll();
  }

  showPaths(paths: readonly Track[]): void {
    this.#paths = paths;
  }

  showSteps(steps: number): void {
    this.#shownSteps = steps;
    this.#drawPaths();
  }

  /** Again, after a change of size or colors. */
  drawAll(): void {
    const projection = this.#projection;
    if (projection.width === 0 || this.#contours.length === 0) return;
    const colors = mapColors(getComputedStyle(this.#place));
    drawContours(contextOf(this.#contourCanvas, projection), this.#contours, projection, colors);
    for (const { point, element } of this.#minima) this.#move(element, point);
    this.#drawPaths();
  }

  /** The point of the map at a place of the screen. */
  pointAt({ clientX, clientY }: MouseEvent): Point {
    const { left, top } = this.#place.getBoundingClientRect();
    return this.#projection.pointAt(clientX - left, clientY - top);
  }

  #drawPaths(): void {
    const projection = this.#projection;
    const [first] = this.#paths;
    if (projection.width === 0 || first === undefined) return;
    const style = getComputedStyle(this.#place);
    const drawn = this.#paths.map((path, i) => {
      const { color, dash } = lineStyle(i);
      return { path, label: runnerNames[i], color: style.getPropertyValue(color), dash };
    });
    this.#move(this.#start, [first.points[0], first.points[1]]);
    drawPaths(
      contextOf(this.#pathCanvas, projection),
      drawn,
      this.#shownSteps,
      projection,
      style.getPropertyValue("--playground-halo"),
      undefined,
    );
  }

  #move({ style }: HTMLElement, [x, y]: Point): void {
    style.left = `${this.#projection.left(x)}px`;
    style.top = `${this.#projection.top(y)}px`;
  }
}

function mark(className: string): HTMLElement {
  const element = document.createElement("span");
  element.className = className;
  return element;
}
