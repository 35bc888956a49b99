import type { Extent, Point } from "./surfaces.js";

/** Where the points of a map are on the screen, in CSS pixels. */
export class MapProjection {
  readonly extent: Extent;
  readonly width: number;
  readonly height: number;

  constructor(extent: Extent, width: number, height: number) {
    this.extent = extent;
    this.width = width;
    this.height = height;
  }

  left(x: number): number {
    const { xMin, xMax } = this.extent;
    return ((x - xMin) / (xMax - xMin)) * this.width;
  }

  top(y: number): number {
    const { yMin, yMax } = this.extent;
    return ((yMax - y) / (yMax - yMin)) * this.height;
  }

  /** The point of the map at a place, which is moved into the map, with the digits that a pixel can tell. */
  pointAt(left: number, top: number): Point {
    return this.#pointOf(left / this.width, top / this.height);
  }

  /** The point that is these parts of the map's width and height to the right of and below another; the map may have no size yet. */
  moved([x, y]: Point, right: number, down: number): Point {
    const { xMin, xMax, yMin, yMax } = this.extent;
    return this.#pointOf((x - xMin) / (xMax - xMin) + right, (yMax - y) / (yMax - yMin) + down);
  }

  /** The point at a part of the width and a part of the height. */
  #pointOf(across: number, down: number): Point {
    const { xMin, xMax, yMin, yMax } = this.extent;
    const x = xMin + Math.min(1, Math.max(0, across)) * (xMax - xMin);
    const y = yMax - Math.min(1, Math.max(0, down)) * (yMax - yMin);
    const digits = Math.max(0, 3 - Math.floor(Math.log10(xMax - xMin)));
    return [Number(x.toFixed(digits)), Number(y.toFixed(digits))];
  }
}
