import { releaseProxy, wrap } from "comlink";
import { render } from "preact";
import { brokenWorker } from "../broken-worker.js";
import type { MuonWorker } from "./muon.worker.js";
import { MuonDemo } from "./muon-demo.js";
import type { MuonSettings } from "./settings.js";
import "./muon.css";

export function mount(element: HTMLElement, signal: AbortSignal): void {
  const worker = new Worker(new URL("./muon.worker.ts", import.meta.url), { type: "module" });
  const remote = wrap<MuonWorker>(worker);
  const broken = brokenWorker(worker);
  const computePicture = (settings: MuonSettings) =>
    Promise.race([remote.picture(settings), broken]);
  render(<MuonDemo computePicture={computePicture} />, element);
  signal.addEventListener("abort", () => {
    render(null, element);
    remote[releaseProxy]();
    worker.terminate();
  });
}
