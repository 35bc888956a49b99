import { render } from "preact";
import { availableBackends } from "../backends/browser-backends.js";
import { SplatsDemo } from "./splats-demo.js";
import "./splats.css";

export async function mount(element: HTMLElement, signal: AbortSignal): Promise<void> {
  const backends = await availableBackends();
  if (signal.aborted) return;
  const hasGpu = backends.some(({ name, reason }) => name === "webgpu" && reason === undefined);
  const layout = matchMedia("(max-width: 640px)").matches ? "slider" : "panels";
  render(
    <SplatsDemo
      preferences={{ backend: hasGpu ? "webgpu" : "wasm", layout }}
      isRunningAtFirst={!matchMedia("(prefers-reduced-motion: reduce)").matches}
    />,
    element,
  );
  signal.addEventListener("abort", () => render(null, element));
}
