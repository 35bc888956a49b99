import type { MapProjection } from "./map-projection.js";
import type { Path } from "./path.js";

/** The part of a path that is drawn. */
export type Track = Pick<Path, "points"> & { readonly evaluated?: Pick<Path, "points"> };

/** A path as it is drawn. */
export interface DrawnPath {
  readonly path: Track;
  readonly label: string;
  readonly color: string;
  readonly dash: readonly number[];
}

/** The point of a step of a path that is marked. */
interface Mark {
  readonly path: number;
  readonly step: number;
}

/** Of the line through weights to evaluate with: dots. */
const evaluatedDash = [0.1, 4.5];

/** Distance between the lines of labels. */
const lineHeight = 15;

/**
 * Draws paths up to a number of steps, which need not be whole, each with its label at its last point. Weights to evaluate
 * with are a dotted line to a ring.
 */
export function drawPaths(
  context: CanvasRenderingContext2D,
  paths: readonly DrawnPath[],
  shownSteps: number,
  projection: MapProjection,
  background: string,
  mark: Mark | undefined,
): void {
  context.clearRect(0, 0, projection.width, projection.height);
  context.lineJoin = "round";
  context.lineCap = "round";
  for (const { path, color, dash } of paths) {
    trace(context, path, shownSteps, projection);
    context.setLineDash([]);
    context.lineWidth = 5;
    context.strokeStyle = background;
    context.globalAlpha = 0.6;
    context.stroke();
    context.globalAlpha = 1;
    context.setLineDash([...dash]);
    context.lineWidth = 2;
    context.strokeStyle = color;
    context.stroke();
  }
  for (const { path, color } of paths) {
    if (path.evaluated === undefined) continue;
    trace(context, path.evaluated, shownSteps, projection);
    context.setLineDash(evaluatedDash);
    context.lineWidth = 5;
    context.strokeStyle = background;
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = color;
    context.stroke();
  }
  context.setLineDash([]);
  for (const { path, color } of paths)
    if (path.evaluated !== undefined)
      drawDisc(context, headOf(path.evaluated, shownSteps, projection), {
        radius: 5,
        fill: background,
        stroke: color,
        lineWidth: 2.5,
      });
  const heads = paths.map(({ path }) => headOf(path, shownSteps, projection));
  paths.forEach(({ color }, i) =>
    drawDisc(context, heads[i], { radius: 4.5, fill: color, stroke: background, lineWidth: 1.5 }),
  );
  drawLabels(context, paths, heads, projection, background);
  const marked = mark && paths[mark.path];
  if (marked !== undefined) {
    const place = placeOf(marked.path, mark!.step, projection);
    context.lineWidth = 2;
    context.strokeStyle = marked.color;
    context.beginPath();
    context.arc(place.left, place.top, 8, 0, 2 * Math.PI);
    context.stroke();
  }
}

interface CanvasPoint {
  readonly left: number;
  readonly top: number;
}

/** The number of steps of a path. */
const stepsOf = ({ points }: Track): number => points.length / 2 - 1;

function placeOf(path: Track, step: number, projection: MapProjection): CanvasPoint {
  const { points } = path;
  const i = Math.min(step, stepsOf(path));
  return { left: projection.left(points[2 * i]), top: projection.top(points[2 * i + 1]) };
}

/** Where a path has come to. */
function headOf(path: Track, shownSteps: number, projection: MapProjection): CanvasPoint {
  const whole = Math.min(Math.floor(shownSteps), stepsOf(path));
  const from = placeOf(path, whole, projection);
  const to = placeOf(path, whole + 1, projection);
  const part = shownSteps - Math.floor(shownSteps);
  return {
    left: from.left + part * (to.left - from.left),
    top: from.top + part * (to.top - from.top),
  };
}

/** Coordinates far outside of a canvas are not drawn by all browsers. */
const farthest = 1e5;

function trace(
  context: CanvasRenderingContext2D,
  path: Track,
  shownSteps: number,
  projection: MapProjection,
): void {
  const last = Math.min(Math.floor(shownSteps), stepsOf(path));
  const clamp = (place: number): number => Math.max(-farthest, Math.min(farthest, place));
  context.beginPath();
  for (let i = 0; i <= last; i += 1) {
    const left = clamp(projection.left(path.points[2 * i]));
    const top = clamp(projection.top(path.points[2 * i + 1]));
    if (i === 0) context.moveTo(left, top);
    else context.lineTo(left, top);
  }
  const head = headOf(path, shownSteps, projection);
  context.lineTo(clamp(head.left), clamp(head.top));
}

interface DiscStyle {
  readonly radius: number;
  readonly fill: string;
  readonly stroke: string;
  readonly lineWidth: number;
}

function drawDisc(
  context: CanvasRenderingContext2D,
  { left, top }: CanvasPoint,
  { radius, fill, stroke, lineWidth }: DiscStyle,
): void {
  context.beginPath();
  context.arc(left, top, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = lineWidth;
  context.strokeStyle = stroke;
  context.stroke();
}

function drawLabels(
  context: CanvasRenderingContext2D,
  paths: readonly DrawnPath[],
  heads: readonly CanvasPoint[],
  { width, height }: MapProjection,
  background: string,
): void {
  context.font = "600 12px system-ui, sans-serif";
  context.textBaseline = "middle";
  // On a page from right to left, too.
  context.textAlign = "left";
  context.lineWidth = 4;
  context.strokeStyle = background;
  const labels = paths.map(({ label, color }, i): Label => {
    const { left: at, top } = heads[i];
    const size = context.measureText(label).width;
    const wanted = at + size + 14 > width ? at - size - 9 : at + 9;
    const left = Math.max(4, Math.min(width - size - 4, wanted));
    const labelTop = Math.max(10, Math.min(height - 10, top));
    return { label, color, left, right: left + size, top: labelTop };
  });
  labels.sort((a, b) => a.top - b.top);
  separate(labels, 1);
  // Those that this has moved out of the map come back.
  for (const label of labels) label.top = Math.min(height - 10, label.top);
  separate(labels.reverse(), -1);
  for (const { label, color, left, top } of labels) {
    context.strokeText(label, left, top);
    context.fillStyle = color;
    context.fillText(label, left, top);
  }
}

interface Label {
  readonly label: string;
  readonly color: string;
  readonly left: number;
  readonly right: number;
  top: number;
}

/** Moves each label off those before it. @param way 1 for down, −1 for up */
function separate(labels: readonly Label[], way: 1 | -1): void {
  labels.forEach((label, i) => {
    for (const other of labels.slice(0, i))
      if (
        way * (label.top - other.top) < lineHeight &&
        label.left < other.right + 6 &&
        label.right > other.left - 6
      )
        label.top = other.top + way * lineHeight;
  });
}

/** The path and the step that are next to a place, within some pixels. */
export function nearestStep(
  paths: readonly (Track | undefined)[],
  shownSteps: number,
  projection: MapProjection,
  left: number,
  top: number,
): { readonly path: number; readonly step: number } | undefined {
  let nearest: { path: number; step: number } | undefined;
  let least = 14 ** 2;
  paths.forEach((path, index) => {
    if (path === undefined) return;
    // The last point has no step after it.
    const last = Math.min(Math.floor(shownSteps), stepsOf(path) - 1);
    for (let step = 0; step <= last; step += 1) {
      const place = placeOf(path, step, projection);
      const distance = (place.left - left) ** 2 + (place.top - top) ** 2;
      if (distance < least) {
        least = distance;
        nearest = { path: index, step };
      }
    }
  });
  return nearest;
}
