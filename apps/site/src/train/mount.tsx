import { render } from "preact";
import { RunList } from "./run-list.js";
import { TrainDemo } from "./train-demo.js";
import "./train.css";

export function mount(element: HTMLElement, signal: AbortSignal): void {
  const list = new RunList(localStorage, navigator.hardwareConcurrency);
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
