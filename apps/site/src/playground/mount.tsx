import { render } from "preact";
import { Playground } from "./playground.js";
import { PlaygroundModel } from "./playground-model.js";
import "./map-colors.css";
import "./playground.css";
import "./race-settings.css";
import "./map.css";
import "./values.css";
import "./runners.css";
import "./rule-editor.css";

export function mount(element: HTMLElement, signal: AbortSignal): void {
  const model = new PlaygroundModel(signal);
  render(<Playground model={model} />, element);
  signal.addEventListener("abort", () => render(null, element));
  const { pathname } = location;
  addEventListener(
    "popstate",
    () => {
      if (location.pathname === pathname) model.showAddress();
    },
    { signal },
  );
  // Links of the text below, such as `<a class="vp-raw" href="?surface=valley">`, show their view without a new page.
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      const href = link?.getAttribute("href");
      const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
      if (!isPlain || href === null || href === undefined || !href.startsWith("?")) return;
      event.preventDefault();
      model.open(Object.fromEntries(new URLSearchParams(href)));
      const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      element.scrollIntoView({ behavior: isCalm ? "auto" : "smooth" });
    },
    { signal },
  );
}
