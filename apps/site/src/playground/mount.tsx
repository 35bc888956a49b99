import { render } from "preact";

export function mount(element: HTMLElement, signal: AbortSignal): void {
  render(<p>Not built yet.</p>, element);
  signal.addEventListener("abort", () => render(null, element));
}
