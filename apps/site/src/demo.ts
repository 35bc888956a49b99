/** A module that shows a demo. */
export interface Demo {
  /** Shows the demo in an empty element. When `signal` aborts, its workers, animation frames and listeners end. */
  readonly mount: (element: HTMLElement, signal: AbortSignal) => void | Promise<void>;
}
