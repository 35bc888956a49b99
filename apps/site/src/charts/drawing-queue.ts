import "./gpu-connection.js";

/** What waits to be drawn, in the order in which it asked first. */
const waiting = new Map<object, () => void>();
let frame: number | undefined;

/**
 * Draws a chart or a map at one of the next frames: one per frame, so that no frame takes long. One that waits already is
 * drawn once.
 */
export function drawSoon(chart: object, draw: () => void): void {
  waiting.set(chart, draw);
  frame ??= requestAnimationFrame(drawNext);
}

/** Does not draw it any more. */
export function forget(chart: object): void {
  waiting.delete(chart);
}

function drawNext(): void {
  frame = undefined;
  const [next] = waiting;
  if (next === undefined) return;
  const [chart, draw] = next;
  waiting.delete(chart);
  if (waiting.size > 0) frame = requestAnimationFrame(drawNext);
  draw();
}
