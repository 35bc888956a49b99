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
    const { xMin, xMax, yMin, yMax } = this.extent;
    const x = xMin + Math.min(1, Math.max(0, left / this.width)) * (xMax - xMin);
    const y = yMax - Math.min(1, Math.max(0, top / this.height)) * (yMax - yMin);
    const digits = Math.max(0, 3 - Math.floor(Math.log10(xMax - xMin)));
    return [Number(x.toFixed(digits)), Number(y.toFixed(digits))];
  }
}
