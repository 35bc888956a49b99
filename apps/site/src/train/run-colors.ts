/** Colors of curves. Each has a contrast of at least 3 to the light and to the dark background. */
export const runColors = [
  "#2f7de1",
  "#d9480f",
  "#0f9960",
  "#9c5fd6",
  "#b7860b",
  "#d6338a",
  "#0e9aa7",
  "#7a8288",
] as const;
