import cliProgress from "cli-progress";
import type { Screen } from "./screen.js";

/** Narrower than this, a bar shows nothing; some text is left out instead. */
const minBarWidth = 8;
const maxBarWidth = 40;
const gap = "  ";

/** A line that is overwritten on every update. */
export interface LiveLine {
  /** @param texts the important ones first: the last ones are left out where there is no room */
  update(done: number, total: number, label: string, texts: readonly string[]): void;
  /** Removes the line, also in the middle of a training. */
  close(): void;
}

/** A bar with a label before it and texts after it; nothing where lines cannot be overwritten. */
export function liveLineOn(screen: Screen): LiveLine {
  const { paint } = screen;
  const bar = new cliProgress.SingleBar({
    stream: screen.stream,
    format: (_options, _params, { line }: { line: () => string }) => line(),
    clearOnComplete: true,
    hideCursor: true,
    // The program handles Ctrl-C itself; the bar would end the process.
    gracefulExit: false,
    fps: 12,
  });
  let isOpen = false;
  // A second Ctrl-C ends the process at once, and the cursor has to come back.
  process.once("exit", close);

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    bar.stop();
  }

  return {
    update(done, total, label, texts) {
      if (!screen.live) return;
      const line = (): string => {
        const { width, shown } = layOut(screen.columns, label, texts);
        const filled = Math.round((done / total) * width);
        const drawn = paint.cyan("━".repeat(filled)) + paint.dim("─".repeat(width - filled));
        return [label, drawn, ...shown].join(gap);
      };
      if (!isOpen) bar.start(total, done, { line });
      isOpen = true;
      // The bar's own timer cannot fire while a step computes.
      bar.update(done, { line });
    },
    close,
  };
}

function layOut(
  columns: number,
  label: string,
  texts: readonly string[],
): { width: number; shown: readonly string[] } {
  for (let shown = texts; ; shown = shown.slice(0, -1)) {
    const text = [label, "", ...shown].join(gap).length;
    // The last column stays empty: some terminals wrap when it is filled.
    const room = columns - 1 - text;
    if (room >= minBarWidth || shown.length === 0) {
      return { width: Math.max(0, Math.min(maxBarWidth, room)), shown };
    }
  }
}
