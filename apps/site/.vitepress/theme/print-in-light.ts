/** Prints pages in the colors of the light theme, whichever is shown: paper is white. */
export function printInLight(): void {
  const { classList } = document.documentElement;
  let wasDark = false;
  addEventListener("beforeprint", () => {
    wasDark = classList.contains("dark");
    classList.remove("dark");
  });
  addEventListener("afterprint", () => {
    classList.toggle("dark", wasDark);
  });
}
