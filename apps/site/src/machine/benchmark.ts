import {
  copy,
  cpuJs,
  cpuJsExact,
  dataFor,
  expectedParameters,
  hand,
  handFolded,
  imageClassifier,
  makeBlock,
  parametersIn,
  speedupSpread,
  startContender,
  tfjsCpu,
  tfjsFused,
  tfjsFusedWebgpu,
  tfjsWasm,
  tfjsWebgpu,
  timeInterleaved,
  wasm,
  wasmThreads,
  webgpu,
  wgsl,
  type Budget,
  type Contender,
  type DeviceSource,
  type Workload,
} from "@gradstep/bench/browser";
import { median } from "@gradstep/apps-shared/median";
import type { BackendName } from "../backends/browser-backends.js";
import type { BenchmarkEvent, BenchmarkTable, Comparison } from "./benchmark-table.js";
import type { ExtentName } from "./settings.js";

const thousand: Workload = { name: "adam-1e3", shapes: [[1e3]] };
const hundredThousand: Workload = { name: "adam-1e5", shapes: [[1e5]] };
const million: Workload = { name: "adam-1e6", shapes: [[1e6]] };
const model: Workload = { name: "model", shapes: imageClassifier() };

const workloads: Readonly<
  Record<"cpu" | "gpu", Readonly<Record<ExtentName, readonly Workload[]>>>
> = {
  cpu: {
    quick: [hundredThousand, million],
    full: [thousand, hundredThousand, million, model],
  },
  gpu: { quick: [million], full: [million, model] },
};

const budgets: Readonly<Record<ExtentName, Budget>> = {
  quick: { warmUpNs: 1e8, turnNs: 2e6, workloadNs: 2e9, rounds: [7, 31], allocationNs: 0 },
  full: { warmUpNs: 3e8, turnNs: 4e6, workloadNs: 1e10, rounds: [11, 101], allocationNs: 0 },
};

/** What the benchmark runs on. */
export interface BenchmarkPlatform {
  /** Of the WebGPU contenders but TF.js. */
  readonly device: DeviceSource;
  /** Registers TF.js's webgpu backend. */
  readonly prepareTfjsWebgpu: () => Promise<unknown>;
}

/** The contenders on the CPU for these backends, with their rivals. */
function cpuContenders(names: readonly BackendName[]): readonly Contender[] {
  const own: readonly (readonly [BackendName, Contender])[] = [
    ["cpu-js", cpuJs],
    ["cpu-js-exact", cpuJsExact],
    ["wasm", wasm],
    ["wasm-threads", wasmThreads],
  ];
  const chosen = own.filter(([name]) => names.includes(name)).map(([, contender]) => contender);
  if (chosen.length === 0) return [];
  const hasWasm = names.includes("wasm") || names.includes("wasm-threads");
  return [hand, handFolded, ...chosen, tfjsCpu, ...(hasWasm ? [tfjsWasm, tfjsFused] : [])];
}

function gpuContenders({ device, prepareTfjsWebgpu }: BenchmarkPlatform): readonly Contender[] {
  return [
    copy(device),
    wgsl(device),
    webgpu(device),
    tfjsWebgpu(prepareTfjsWebgpu),
    tfjsFusedWebgpu(prepareTfjsWebgpu),
  ];
}

/** Measures each workload, those on the CPU first. Each contender is checked before it is timed. */
export async function runBenchmark(
  names: readonly BackendName[],
  extent: ExtentName,
  platform: BenchmarkPlatform,
  onEvent: (event: BenchmarkEvent) => void,
): Promise<readonly BenchmarkTable[]> {
  const onCpu = cpuContenders(names);
  const onGpu = names.includes("webgpu") ? gpuContenders(platform) : [];
  const all = [
    ...(onCpu.length > 0 ? workloads.cpu[extent] : []).map((workload) => ({
      workload,
      contenders: onCpu,
      processor: "CPU" as const,
    })),
    ...(onGpu.length > 0 ? workloads.gpu[extent] : []).map((workload) => ({
      workload,
      contenders: onGpu,
      processor: "GPU" as const,
    })),
  ];
  const block = makeBlock(1);
  const expected = expectedParameters(block);
  const tables: BenchmarkTable[] = [];
  for (const [i, { workload, contenders, processor }] of all.entries()) {
    const title = `${workload.name} on the ${processor}`;
    const progress = (text: string, fraction: number): void =>
      onEvent({
        type: "progress",
        text: `${title}: ${text}`,
        fraction: (i + fraction) / all.length,
      });
    const table = await measure(workload, contenders, progress, block, expected, budgets[extent]);
    tables.push({ ...table, processor });
    onEvent({ type: "tables", tables: [...tables] });
  }
  return tables;
}

/** Contenders that cannot start here, or whose result is wrong, are listed and not timed. */
async function measure(
  workload: Workload,
  contenders: readonly Contender[],
  progress: (text: string, fraction: number) => void,
  block: ReturnType<typeof makeBlock>,
  expected: Float64Array,
  budget: Budget,
): Promise<Omit<BenchmarkTable, "processor">> {
  const data = dataFor(workload, block);
  const started: { contender: Contender; running: Awaited<ReturnType<Contender["start"]>> }[] = [];
  const failures: { name: string; reason: string }[] = [];
  try {
    for (const [i, contender] of contenders.entries()) {
      progress(`checking ${contender.name}`, (0.4 * i) / contenders.length);
      try {
        started.push({ contender, ...(await startContender(contender, data, expected)) });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        failures.push({ name: contender.name, reason });
      }
    }
    progress("warming up", 0.4);
    const times = await timeInterleaved(
      started.map(({ running }) => running),
      budget,
      (completed, planned) =>
        progress(`round ${completed + 1} of ${planned}`, 0.5 + (0.5 * completed) / planned),
    );
    const timesOf = (name: string): readonly number[] | undefined =>
      times[started.findIndex(({ contender }) => contender.name === name)];
    const rivals = ["hand", "wgsl", "tfjs-cpu", "tfjs-wasm", "tfjs-webgpu"].filter(
      (name) => timesOf(name) !== undefined,
    );
    return {
      workload: workload.name,
      parameters: parametersIn(workload),
      tensors: workload.shapes.length,
      rounds: times[0]?.length ?? 0,
      rivals,
      rows: started.map(({ contender: { name, description } }, i) => ({
        name,
        description,
        isOwn: isOwn(name),
        stepNs: median(times[i]),
        comparisons: Object.fromEntries(
          rivals
            .filter((rival) => rival !== name)
            .map((rival): [string, Comparison] => [
              rival,
              speedupSpread(times[i], timesOf(rival)!),
            ]),
        ),
      })),
      failures,
    };
  } finally {
    for (const { running } of started) running.dispose();
  }
}

/** Whether gradstep computes it. */
function isOwn(name: string): boolean {
  return !/^(?:hand|copy|wgsl|tfjs-(?:cpu|wasm|webgpu)$)/.test(name);
}
