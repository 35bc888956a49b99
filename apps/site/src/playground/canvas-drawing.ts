import type { MapColors, Rgb } from "./draw-contours.js";

/** The context of a canvas with the screen's pixels, which is drawn to in CSS pixels. */
export function contextOf(
  canvas: HTMLCanvasElement,
  { width, height }: { readonly width: number; readonly height: number },
): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio;
  const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== columns || canvas.height !== rows) {
    canvas.width = columns;
    canvas.height = rows;
  }
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** The colors of a map in the theme of the page. */
export function mapColors(style: CSSStyleDeclaration): MapColors {
  return {
    lowest: rgbOf(style.getPropertyValue("--playground-lowest")),
    highest: rgbOf(style.getPropertyValue("--playground-highest")),
    line: style.getPropertyValue("--playground-contour"),
  };
}

/** @param color `#rrggbb` */
function rgbOf(color: string): Rgb {
  const bits = Number.parseInt(color.trim().slice(1), 16);
  return [(bits >> 16) & 255, (bits >> 8) & 255, bits & 255];
}
