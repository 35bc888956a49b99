import { render } from "preact";
import { MachineDemo } from "./machine-demo.js";
import "./machine.css";

export function mount(element: HTMLElement, signal: AbortSignal): void {
  render(<MachineDemo signal={signal} />, element);
  signal.addEventListener("abort", () => render(null, element));
}
