import type { MapProjection } from "./map-projection.js";
import type { Evaluated, Path } from "./path.js";

/** A path as it is drawn. */
export interface DrawnPath {
  readonly path: Path;
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

interface Place {
  readonly left: number;
  readonly top: number;
}

function placeOf({ points, values }: Evaluated, step: number, projection: MapProjection): Place {
  const i = Math.min(step, values.length - 1);
  return { left: projection.left(points[2 * i]), top: projection.top(points[2 * i + 1]) };
}

/** Where a path has come to. */
function headOf(path: Evaluated, shownSteps: number, projection: MapProjection): Place {
  const whole = Math.min(Math.floor(shownSteps), path.values.length - 1);
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
  path: Evaluated,
  shownSteps: number,
  projection: MapProjection,
): void {
  const last = Math.min(Math.floor(shownSteps), path.values.length - 1);
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
  { left, top }: Place,
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
  heads: readonly Place[],
  { width, height }: MapProjection,
  background: string,
): void {
  context.font = "600 12px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.lineWidth = 4;
  context.strokeStyle = background;
  const placed: { left: number; right: number; top: number }[] = [];
  const order = paths.map((_, i) => i).sort((a, b) => heads[a].top - heads[b].top);
  for (const i of order) {
    const { label, color } = paths[i];
    const size = context.measureText(label).width;
    const isRight = heads[i].left + size + 14 > width;
    const wanted = isRight ? heads[i].left - size - 9 : heads[i].left + 9;
    const left = Math.max(4, Math.min(width - size - 4, wanted));
    let top = Math.max(10, Math.min(height - 10, heads[i].top));
    for (const other of placed)
      if (
        Math.abs(other.top - top) < lineHeight &&
        left < other.right + 6 &&
        left + size > other.left - 6
      )
        top = other.top + lineHeight;
    placed.push({ left, right: left + size, top });
    context.strokeText(label, left, top);
    context.fillStyle = color;
    context.fillText(label, left, top);
  }
}

/** The path and the step that are next to a place, within some pixels. */
export function nearestStep(
  paths: readonly (Path | undefined)[],
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
    const last = Math.min(Math.floor(shownSteps), path.values.length - 2);
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
