import { releaseProxy, wrap } from "comlink";
import { render } from "preact";
import type { MuonWorker } from "./muon.worker.js";
import { MuonDemo } from "./muon-demo.js";
import "./muon.css";

export function mount(element: HTMLElement, signal: AbortSignal): void {
  const worker = new Worker(new URL("./muon.worker.ts", import.meta.url), { type: "module" });
  const remote = wrap<MuonWorker>(worker);
  render(<MuonDemo computePicture={(settings) => remote.picture(settings)} />, element);
  signal.addEventListener("abort", () => {
    render(null, element);
    remote[releaseProxy]();
    worker.terminate();
  });
}
