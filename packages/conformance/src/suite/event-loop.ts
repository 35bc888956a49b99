const interval = 50;
let last = performance.now();

/**
 * Lets signals and timers through, which wait while checks await nothing but promises that are resolved: returns after
 * other tasks, if the last time was more than 50 ms ago.
 */
export async function yieldToTasks(): Promise<void> {
  if (performance.now() - last < interval) return;
  await new Promise((done) => setTimeout(done));
  last = performance.now();
}
