/** The colors of charts on light and on dark pages. */
export const themes = {
  light: {
    text: "#3c3c43",
    muted: "#67676c",
    grid: "#dcdde2",
    own: "#3451b2",
    others: ["#b8860b", "#8a8a94"],
    contours: ["#f3f4f8", "#ccd3e8"],
    minimum: "#c2410c",
    race: ["#8a5a00", "#b02a8f", "#3451b2", "#0b7a4b"],
  },
  dark: {
    text: "#dfdfd6",
    muted: "#98989f",
    grid: "#3a3d4d",
    own: "#a8b1ff",
    others: ["#d9a441", "#8b8b95"],
    contours: ["#20222e", "#4a5380"],
    minimum: "#fb923c",
    race: ["#f2b84b", "#f08bd8", "#a8b1ff", "#5fd39b"],
  },
} as const;

/** The colors of one theme. */
export type Colors = (typeof themes)[keyof typeof themes];

/** The font of the site. */
export const font = "system-ui, -apple-system, Segoe UI, Roboto, sans-serif";

/** Axes without lines of their own, in a theme's colors. */
export function axisStyle({ grid, muted }: Colors) {
  return {
    domain: false,
    ticks: false,
    gridColor: grid,
    labelColor: muted,
    labelFontSize: 12,
    titleColor: muted,
    titleFontSize: 12,
    titleFontWeight: "normal",
  } as const;
}
