/** How the line of a runner is drawn. */
export interface LineStyle {
  /** The name of a CSS custom property. */
  readonly color: string;
  /** Lengths of dashes and gaps; none for a solid line. */
  readonly dash: readonly number[];
}

/** Number of colors in map-colors.css: those of Okabe and Ito 2008, darker or lighter for the page's background. */
const colorCount = 7;
const dashes: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [10, 3, 2, 3]];

/** The style of a runner by its place in the list: colors first, dashes once all colors are used. */
export function lineStyle(index: number): LineStyle {
  return {
    color: `--playground-color-${(index % colorCount) + 1}`,
    dash: dashes[Math.floor(index / colorCount) % dashes.length],
  };
}
