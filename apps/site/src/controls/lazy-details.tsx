import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

interface LazyDetailsProps {
  readonly class?: string;
  readonly summary: string;
  /** Makes what is shown. */
  readonly children: () => ComponentChildren;
}

/** Details whose content is made when they are opened. Most stay closed, and pages with many controls are slow to make. */
export function LazyDetails({ class: name, summary, children }: LazyDetailsProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class={name} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen && children()}
    </details>
  );
}
