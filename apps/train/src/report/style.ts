/** The report's style sheet: light or dark as the reader's system has it. */
export const style: string = `
:root {
  color-scheme: light dark;
  --page: light-dark(#fbfbf9, #16181b);
  --card: light-dark(#ffffff, #1e2125);
  --line: light-dark(#e4e4df, #33373d);
  --text: light-dark(#1d2024, #e6e7e9);
  --quiet: light-dark(#666b73, #9aa0a8);
  --training: light-dark(#2f6fb4, #6aa9e9);
  --held-out: light-dark(#c2571a, #f0995a);
  --right: light-dark(#2f6fb4, #4f8fd0);
  --wrong: light-dark(#d2481f, #e0693f);
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 72rem;
  background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 0 0 0.75rem; font-size: 1.05rem; }
p { margin: 0.35rem 0 0; }
.quiet { color: var(--quiet); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem; margin: 1.75rem 0 1rem; }
.figures div, section {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.25rem;
}
.figures b { display: block; font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.figures span { color: var(--quiet); font-size: 0.85rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem; margin-bottom: 1rem; }
section { min-width: 0; overflow-x: auto; }
section + section:not(.pair section) { margin-top: 1rem; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.5rem 0 0; font-size: 0.85rem; color: var(--quiet); }
.legend i { display: inline-block; width: 1.1rem; height: 3px; border-radius: 2px; margin-right: 0.4rem; vertical-align: middle; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.confusion { width: 100%; table-layout: fixed; text-align: center; }
.confusion th { color: var(--quiet); font-weight: 600; padding: 0.2rem; }
.confusion td { height: 2.1rem; padding: 0; border: 2px solid var(--card); border-radius: 5px; background: var(--page); font-size: 0.85rem; }
.confusion td.right { background: color-mix(in oklab, var(--right) calc(var(--share) * 0.55), var(--card)); }
.confusion td.wrong { background: color-mix(in oklab, var(--wrong) calc(18% + var(--share) * 0.5), var(--card)); }
.confusion .share { width: 4.2rem; background: none; color: var(--quiet); text-align: right; font-weight: normal; }
.rows { width: 100%; }
.rows th, .rows td { padding: 0.35rem 0.5rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
.rows thead th { border-top: 0; color: var(--quiet); font-weight: 600; }
.rows th:first-child { text-align: left; font-weight: normal; }
.digits { display: grid; grid-template-columns: repeat(auto-fill, minmax(4.6rem, 1fr)); gap: 0.9rem 0.5rem; }
figure { margin: 0; }
.digits figure { text-align: center; font-size: 0.8rem; color: var(--quiet); }
.digits img { image-rendering: pixelated; border-radius: 6px; filter: invert(1); }
.digits b { color: var(--wrong); }
@media (prefers-color-scheme: dark) { .digits img { filter: none; } }
footer { margin-top: 1.5rem; font-size: 0.85rem; color: var(--quiet); }
`;
