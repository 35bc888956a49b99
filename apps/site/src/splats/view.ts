/** The canvases of a worker. */
export interface Canvases {
  readonly picture: OffscreenCanvas;
  readonly fit: OffscreenCanvas;
  readonly difference: OffscreenCanvas;
}

/** Shows a training on its canvases. The picture is drawn when the view is made. */
export interface View {
  /** Draws the fit, and its difference from the picture. @param ellipses whether each splat is an ellipse of its own */
  draw(ellipses: boolean): void;
}

/** The difference of colors is shown this much brighter. */
export const differenceGain = 4;

/** Radius of an ellipse in standard deviations. */
export const ellipseRadius = 1.2;

/** Canvases have this many pixels per pixel of the picture, so that ellipses are smooth. */
export const zoomOf = (width: number): number => Math.max(1, Math.round(512 / width));
