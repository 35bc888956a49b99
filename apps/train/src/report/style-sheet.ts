/** The report's style sheet: light or dark, as the reader's system is set. */
export const styleSheet: string = `
:root {
  color-scheme: light dark;
  --page: light-dark(#fbfbf9, #16181b);
  --card: light-dark(#ffffff, #1e2125);
  --line: light-dark(#e4e4df, #33373d);
  --text: light-dark(#1d2024, #e6e7e9);
  --quiet: light-dark(#666b73, #9aa0a8);
  --first: light-dark(#2f6fb4, #6aa9e9);
  --second: light-dark(#c2571a, #f0995a);
  --right: light-dark(#2f6fb4, #4f8fd0);
  --wrong: light-dark(#d2481f, #e0693f);
  --shadow: light-dark(#1d202440, #000000a0);
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 3rem; max-width: 72rem;
  background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; letter-spacing: -0.01em; text-wrap: balance; }
h2 { margin: 0 0 0.75rem; font-size: 1.05rem; }
h2.part { margin: 2.25rem 0 0; font-size: 1.25rem; }
h3 { margin: 1.1rem 0 0.5rem; font-size: 0.95rem; }
p { margin: 0.35rem 0 0; }
.quiet, footer { color: var(--quiet); }
.failure, .notice { margin: 1.25rem 0 0; padding: 0.6rem 1rem; border-left: 4px solid var(--wrong); border-radius: 4px; background: color-mix(in oklab, var(--wrong) 12%, var(--card)); }
.failure { font-weight: 600; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem; margin: 1.25rem 0 1rem; }
.figures div, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.25rem; }
.figures b { display: block; font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.figures span { display: block; color: var(--quiet); font-size: 0.85rem; line-height: 1.35; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem; }
.card { min-width: 0; }
.card.both { grid-column: 1 / -1; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
.narrow { display: none; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.5rem 0 0; font-size: 0.85rem; color: var(--quiet); }
.legend i { display: inline-block; width: 1.1rem; height: 3px; border-radius: 2px; margin-right: 0.4rem; vertical-align: middle; }
.bars { display: grid; grid-template-columns: max-content 1fr max-content; gap: 0.5rem 0.75rem; margin: 0; align-items: center; }
.bars dd { margin: 0; font-variant-numeric: tabular-nums; text-align: right; }
.bars i { display: block; height: 1.75rem; border-radius: 3px; min-width: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.scroll {
  overflow-x: auto;
  /* Shadows at the sides that hide more of the table; the inner two cover them at its ends. */
  background:
    linear-gradient(to right, var(--card) 30%, transparent) left / 2.5rem 100%,
    linear-gradient(to left, var(--card) 30%, transparent) right / 2.5rem 100%,
    linear-gradient(to right, var(--shadow), transparent) left / 0.8rem 100%,
    linear-gradient(to left, var(--shadow), transparent) right / 0.8rem 100%;
  background-repeat: no-repeat;
  background-attachment: local, local, scroll, scroll;
}
.rows { width: 100%; }
.rows th, .rows td { padding: 0.35rem 0.5rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
.rows thead th { border-top: 0; color: var(--quiet); font-weight: 600; white-space: normal; vertical-align: bottom; line-height: 1.25; }
.rows th:first-child { text-align: left; }
.rows tbody th { font-weight: normal; }
.rows td:nth-child(2) { font-weight: 600; }
.confusion { width: 100%; table-layout: fixed; text-align: center; font-size: 0.85rem; }
.confusion col.axis, .confusion col.digit { width: 1.6rem; }
.confusion col.correct-share { width: 4.2rem; }
.confusion th { color: var(--quiet); font-weight: 600; padding: 0.15rem 0; }
.confusion th.axis span { display: inline-block; }
.confusion tbody th.axis span { writing-mode: vertical-rl; transform: rotate(180deg); }
.confusion tbody td { height: 2.1rem; padding: 0; border: 2px solid var(--card); border-radius: 5px; background: var(--page); }
.confusion td.right { background: color-mix(in oklab, var(--right) calc(var(--tint) * 0.55), var(--card)); }
.confusion td.wrong { background: color-mix(in oklab, var(--wrong) calc(var(--tint) * 0.75), var(--page)); }
.confusion .correct-share { background: none; white-space: nowrap; color: var(--quiet); text-align: right; font-weight: normal; }
.digits { display: grid; grid-template-columns: repeat(auto-fill, minmax(4.6rem, 1fr)); gap: 0.9rem 0.4rem; margin-top: 0.75rem; }
figure { margin: 0; }
.digits figure { text-align: center; font-size: 0.85rem; line-height: 1.4; color: var(--quiet); }
.digits img { display: block; margin: 0 auto 0.15rem; image-rendering: pixelated; border-radius: 6px; filter: invert(1); }
.digits b { color: var(--wrong); }
.digits small { margin-left: 0.2rem; }
@media (prefers-color-scheme: dark) { .digits img { filter: none; } }
details { margin-top: 1rem; }
summary { cursor: pointer; color: var(--first); font-weight: 600; }
footer { margin-top: 1.5rem; font-size: 0.85rem; overflow-wrap: anywhere; }
.option { white-space: nowrap; }
code { font-family: ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; }
@media (max-width: 34rem) {
  body { padding: 1.25rem 0.75rem 2rem; }
  h1 { font-size: 1.35rem; }
  .figures { grid-template-columns: 1fr 1fr; gap: 0.6rem; }
  .figures div, .card { padding: 0.75rem; }
  .wide { display: none; }
  .narrow { display: block; }
  .rows { font-size: 0.85rem; }
  .rows th, .rows td { padding: 0.35rem 0.3rem; }
  .rows tbody th { white-space: normal; }
  .confusion { font-size: 0.75rem; }
  .confusion col.axis, .confusion col.digit { width: 1.15rem; }
  .confusion col.correct-share { width: 3.3rem; }
  .confusion tbody td { border-width: 1px; }
}
@media (max-width: 22rem) {
  .confusion { font-size: 0.65rem; }
  .confusion col.axis, .confusion col.digit { width: 0.9rem; }
  .confusion col.correct-share { width: 2.7rem; }
}
`;
