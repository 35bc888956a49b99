import type { ContourMap } from "./contour-map.js";
import type { MapProjection } from "./map-projection.js";

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** The colors of a map. */
export interface MapColors {
  readonly lowest: Rgb;
  readonly highest: Rgb;
  readonly line: string;
}

/** Fills a canvas with the levels of a map, from the lowest to the highest. */
export function drawContours(
  context: CanvasRenderingContext2D,
  map: ContourMap,
  projection: MapProjection,
  { lowest, highest, line }: MapColors,
): void {
  context.clearRect(0, 0, projection.width, projection.height);
  context.lineWidth = 0.75;
  context.strokeStyle = line;
  map.forEach(({ points, ringEnds }, level) => {
    const part = map.length === 1 ? 0 : level / (map.length - 1);
    const channels = lowest.map((low, i) => Math.round(low + part * (highest[i] - low)));
    context.fillStyle = `rgb(${channels.join(" ")})`;
    context.beginPath();
    let start = 0;
    for (const end of ringEnds) {
      for (let i = start; i < end; i += 1) {
        const left = projection.left(points[2 * i]);
        const top = projection.top(points[2 * i + 1]);
        if (i === start) context.moveTo(left, top);
        else context.lineTo(left, top);
      }
      context.closePath();
      start = end;
    }
    context.fill("evenodd");
    if (level > 0) context.stroke();
  });
}
