import { render } from "preact";
import { RunList } from "./run-list.js";
import { TrainDemo } from "./train-demo.js";
import "./train.css";
import "./run-charts.css";
import "./run-table.css";
import "./run-details.css";
import "./digit-pad.css";

export function mount(element: HTMLElement, signal: AbortSignal): void {
  // Digests of weights, checkpoints and their locks need one.
  if (!globalThis.isSecureContext)
    throw new Error("open this page over HTTPS, or from localhost. Other pages cannot save runs.");
  const list = new RunList(localStorageOfPage(), navigator.hardwareConcurrency);
  window.addEventListener("storage", (event) => list.follow(event), { signal });
  const saveWhenHidden = (): void => {
    if (document.visibilityState === "hidden") void list.save();
  };
  document.addEventListener("visibilitychange", saveWhenHidden, { signal });
  render(<TrainDemo list={list} />, element);
  void list.load();
  signal.addEventListener("abort", () => {
    render(null, element);
    void list.save().finally(() => list.close());
  });
}

/** Undefined where the browser forbids it. */
function localStorageOfPage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
