/** The exit status of a program that Ctrl-C ended: 128 + SIGINT. */
export const interruptedStatus = 130;

/** Two signals within this time (milliseconds) are one key press: npm passes on a Ctrl-C that the terminal sent too. */
const samePressTime = 300;

/** The work that Ctrl-C stops: the last that asked. */
let controller: AbortController;
let firstPress = 0;

/**
 * Returns a signal that the first Ctrl-C aborts, so that the work can end in order. The second Ctrl-C ends the process at
 * once.
 */
export function interruption(): AbortSignal {
  controller = new AbortController();
  // Once, however many runs a process makes.
  process.off("SIGINT", stop).on("SIGINT", stop);
  return controller.signal;
}

function stop(): void {
  const now = performance.now();
  if (!controller.signal.aborted) {
    firstPress = now;
    controller.abort();
  } else if (now - firstPress > samePressTime) {
    process.exit(interruptedStatus);
  }
}
