/** The exit status of a program that Ctrl-C ended: 128 + SIGINT. */
export const interruptedStatus = 130;

/** Two signals this close (milliseconds) are one press: npm passes on a Ctrl-C that the terminal has sent as well. */
const samePress = 300;

/**
 * A signal that is aborted by the first Ctrl-C, so that work may end in good order.
 * The second Ctrl-C ends the process at once.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  process.on("SIGINT", () => {
    const now = performance.now();
    if (!controller.signal.aborted) {
      first = now;
      controller.abort();
    } else if (now - first > samePress) {
      process.exit(interruptedStatus);
    }
  });
  return controller.signal;
}
