import { contourMap, type ContourMap } from "../playground/contour-map.js";
import { parseFormula } from "../playground/formula.js";
import type { Path } from "../playground/path.js";
import type { Point } from "../playground/surfaces.js";
import { race } from "./race.js";

/** What the page asks for: a map with this number of columns, or the paths from a start. */
export type RaceRequest = { readonly columns: number } | { readonly start: Point };

export type RaceAnswer = ContourMap | readonly Path[];

async function answerTo(request: RaceRequest): Promise<RaceAnswer> {
  if ("start" in request) {
    // gradstep is loaded with the first click: the page itself is small.
    const { racePaths } = await import("./race-paths.js");
    return racePaths(request.start);
  }
  const { formula, extent } = race;
  const { columns } = request;
  const rows = Math.round((columns * (extent.yMax - extent.yMin)) / (extent.xMax - extent.xMin));
  return contourMap(parseFormula(formula), extent, columns, rows);
}

/** Requests are answered one after the other. */
let last: Promise<void> = Promise.resolve();
addEventListener("message", ({ data }: MessageEvent<RaceRequest>) => {
  last = last.then(async () => postMessage(await answerTo(data))).catch(reportError);
});
