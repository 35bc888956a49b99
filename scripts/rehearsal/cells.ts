import { bundlers } from "./bundles.js";
import type { Pages } from "./pages.js";
import { bun, deno, otherNode, type Runtime, thisNode, workerd } from "./runtimes.js";
import type { Column, StepResults } from "./step-results.js";

/** A row of the table: a way to run the program that takes the steps. */
export interface Cells {
  readonly runtime: string;
  /** Columns that there are not here, and why. */
  readonly absent: Readonly<Partial<Record<Column, string>>>;
  readonly run: () => Promise<StepResults>;
}

/** All runtimes, for the packages that are installed in `project`. */
export function stepCells(project: string, pages: Pages | undefined): Cells[] {
  const row = (runtime: string, run: Runtime, absent: Cells["absent"] = {}): Cells => ({
    runtime,
    absent,
    run: () => run(project),
  });
  const major = Number(process.versions.node.split(".")[0]);
  const nodes = [20, 22, 24].map((version) =>
    row(`Node ${version}`, version === major ? thisNode : otherNode(version)),
  );
  return [
    ...nodes,
    row("Deno", deno),
    row("Bun", bun),
    row("workerd", workerd, {
      threads: "workerd has no threads",
      webgpu: "workerd has no WebGPU",
    }),
    ...Object.entries(bundlers).map(([name, bundle], i) => {
      const page = `page-${i}`;
      return row(`Chromium, ${name}`, async () => {
        await bundle(project, page);
        if (pages === undefined) throw new Error("there is no Chromium on this machine");
        return pages.results(page);
      });
    }),
  ];
}
