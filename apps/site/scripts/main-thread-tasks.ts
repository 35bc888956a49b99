import type { Page } from "playwright";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds; left out for a task that has not ended with the trace. */
  readonly dur?: number;
  /** Microseconds of processor time; left out for events of a few microseconds. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/**
 * Milliseconds of processor time of each task on the main threads of pages during some work. Unlike the duration of
 * long-task entries, it does not depend on what else the machine does.
 */
export async function mainThreadTasks(
  page: Page,
  work: () => Promise<void>,
): Promise<readonly number[]> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline"] });
  await work();
  const buffer = await browser.stopTracing();
  const { traceEvents } = JSON.parse(buffer.toString()) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  const idOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const threads = new Set(
    traceEvents
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(idOf),
  );
  return traceEvents
    .filter((event) => event.name === "ThreadControllerImpl::RunTask" && threads.has(idOf(event)))
    .flatMap(({ dur, tdur = dur }) => (tdur === undefined ? [] : [tdur / 1000]));
}
