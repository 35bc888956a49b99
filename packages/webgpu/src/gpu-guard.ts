import {
  finiteness,
  type BatchRun,
  type Guard,
  type GuardCounts,
  type GuardOptions,
  type Tensor,
  type Update,
  type Variant,
} from "@gradstep/core";
import { plainUpdate } from "@gradstep/core/internal";
import type { ErrorTracker } from "./device/error-tracker.js";
import { bufferUsage } from "./device/webgpu-constants.js";
import { compileTableKernel, type TableKernel } from "./planning/dispatch/one-shot-dispatches.js";
import type { InputPlan } from "./planning/step/input-plan.js";
import type { StepRun } from "./planning/step/step-plan.js";
import { advanceArrays, advanceKernel } from "./shaders/advance-kernel.js";
import { anyKind, decideArrays, decideKernel } from "./shaders/decide-kernel.js";
import { tableBinding } from "./shaders/kernel-layout.js";
import { passOf } from "./commands/encode-target.js";
import { StepPlans } from "./planning/step/step-plans.js";
import type { WebGpuKernel } from "./webgpu-kernel.js";
import {
  controlLength,
  controlWords,
  decodeCounts,
  encodeCounts,
} from "./shaders/control-block.js";
import { GuardMemory } from "./guard/guard-memory.js";

/** What a guard needs from its backend. */
export interface GuardHost {
  readonly device: GPUDevice;
  compile(variant: Variant): WebGpuKernel;
  wrap(buffer: GPUBuffer, options: { readonly shape: readonly number[] }): Tensor;
  download(buffer: GPUBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer>;
}

const noScalars = new Float64Array(0);

/** A guard whose counts, scalars and decisions are in GPU memory. */
export class GpuGuard implements Guard {
  readonly lossScale: Tensor;
  readonly #host: GuardHost;
  readonly #onDispose: () => void;
  readonly #options: GuardOptions;
  readonly #memory: GuardMemory;
  readonly #plans: StepPlans;
  readonly #checkPlans: StepPlans;
  readonly #finiteness: WebGpuKernel;
  readonly #finding: readonly Tensor[];
  readonly #advance: TableKernel;
  readonly #advanceTable: GPUBuffer;
  readonly #advanceBindGroup: GPUBindGroup;
  /** The updates of `#finiteness`, by those that are checked, or by gradients of some rows. */
  readonly #checks = new WeakMap<Update | Tensor, Update>();
  readonly #checked: Update[] = [];
  /** Whether the finding of `check` belongs to a step that is not counted yet. */
  #hasFinding = false;
  /** The run that `check` executes. The only element is reused, since a step allocates nothing. */
  readonly #checkRuns: [{ -readonly [K in keyof StepRun]: StepRun[K] }];

  /** @param onDispose called when the guard is no longer used */
  constructor(host: GuardHost, errors: ErrorTracker, options: GuardOptions, onDispose: () => void) {
    const { device } = host;
    this.#host = host;
    this.#onDispose = onDispose;
    this.#options = options;
    const memory = new GuardMemory(device, options);
    this.#memory = memory;
    const compile = (
      name: string,
      code: string,
      arrays: typeof decideArrays | typeof advanceArrays,
    ) => compileTableKernel(device, errors, { label: `gradstep ${name}`, code, arrays });
    const decide = compile("decide", decideKernel, decideArrays);
    const plans = (isDecided: boolean): StepPlans =>
      new StepPlans({ device, errors, guard: { memory, decideKernel: decide, isDecided } });
    this.#plans = plans(true);
    this.#checkPlans = plans(false);
    this.#finiteness = host.compile(finiteness());
    this.#checkRuns = [{ kernel: this.#finiteness, updates: this.#checked, count: 0 }];
    this.#finding = [host.wrap(memory.nonFinite, { shape: [1] })];
    this.lossScale = host.wrap(memory.control, { shape: [1] });
    this.#advance = compile("advance", advanceKernel, advanceArrays);
    const table = advanceTable(options);
    this.#advanceTable = device.createBuffer({
      label: "gradstep guard, loss scale",
      size: table.byteLength,
      usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(this.#advanceTable, 0, table);
    this.#advanceBindGroup = device.createBindGroup({
      label: "gradstep guard, loss scale",
      layout: this.#advance.layout,
      entries: [this.#advanceTable, memory.control, memory.nonFinite].map((buffer, i) => ({
        binding: tableBinding + i,
        resource: { buffer },
      })),
    });
  }

  replaceScalars(t: number): void {
    this.#memory.kept.replace(t);
  }

  writeScalars(t: number, kind: number): void {
    this.#memory.kept.store(t, kind);
  }

  startAt(t: number): void {
    this.#memory.kept.firstStep = t;
  }

  restrict(kind: number | undefined): void {
    this.#memory.kept.kind = kind ?? anyKind;
  }

  check(updates: readonly Update[], count: number, target?: object): void {
    for (let i = 0; i < count; i += 1) this.#checked[i] = this.#checkOf(updates[i]);
    if (this.#memory.kept.kind !== anyKind) {
      this.#checkRuns[0].count = count;
      this.#run(this.#checkPlans, this.#checkRuns, target);
    } else if (target === undefined) this.#finiteness.run(this.#checked, count);
    else this.#finiteness.encode(target, this.#checked, count);
    this.#hasFinding = true;
  }

  run(runs: readonly BatchRun[], target?: object): void {
    this.#run(this.#plans, runs as readonly StepRun[], target);
  }

  #run(plans: StepPlans, runs: readonly StepRun[], target: object | undefined): void {
    this.#memory.kept.flush();
    try {
      if (target === undefined) plans.run(runs);
      else plans.encode(target, runs);
    } catch (error) {
      if (this.#hasFinding) this.#forgetFinding(target);
      throw error;
    }
  }

  /** For a call that is refused after its gradients were checked: the next step must not be skipped because of them. */
  #forgetFinding(target: object | undefined): void {
    const { nonFinite } = this.#memory;
    if (target === undefined) this.#host.device.queue.writeBuffer(nonFinite, 0, new Uint32Array(1));
    // Nothing can be cleared within a pass of the caller.
    else if ("clearBuffer" in target) (target as GPUCommandEncoder).clearBuffer(nonFinite);
    this.#hasFinding = false;
  }

  advance(target?: object): void {
    this.#hasFinding = false;
    const { failure, pipeline } = this.#advance.compiled;
    if (failure !== undefined) throw failure;
    const { device } = this.#host;
    const own =
      target === undefined ? device.createCommandEncoder({ label: "gradstep guard" }) : undefined;
    const { pass, end } = passOf(own ?? target!, "gradstep guard");
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.#advanceBindGroup);
    pass.dispatchWorkgroups(1);
    end();
    if (own !== undefined) device.queue.submit([own.finish()]);
  }

  async read(): Promise<GuardCounts> {
    const { control, persistentCount } = this.#memory;
    return decodeCounts(await this.#host.download(control, 0, controlLength(persistentCount)));
  }

  resume(stops: number): void {
    const words = Uint32Array.of(stops);
    const { control } = this.#memory;
    this.#host.device.queue.writeBuffer(control, 4 * controlWords.resumedStops, words);
  }

  write(counts: GuardCounts): void {
    const words = encodeCounts(counts, this.#options.accumulate);
    this.#host.device.queue.writeBuffer(this.#memory.control, 0, words);
  }

  /** The plans with steps since the last call. */
  takeExecutedPlans(): InputPlan[] {
    return [...this.#plans.takeExecuted(), ...this.#checkPlans.takeExecuted()];
  }

  dispose(): void {
    this.#onDispose();
    this.#plans.destroy();
    this.#checkPlans.destroy();
    this.lossScale.free();
    this.#finding[0].free();
    this.#advanceTable.destroy();
    this.#memory.destroy();
  }

  #checkOf(update: Update): Update {
    const { gradient, signals } = update;
    // A gradient of some rows counts as a whole.
    const isOfSomeRows = update.rows !== undefined;
    const key = isOfSomeRows ? gradient : update;
    let check = this.#checks.get(key);
    if (check === undefined) {
      const parameter = isOfSomeRows ? gradient : update.parameter;
      check = plainUpdate({ parameter, gradient, slots: this.#finding, scalars: noScalars });
      this.#checks.set(key, check);
    }
    check.gradient = gradient;
    check.mask = isOfSomeRows ? undefined : update.mask;
    check.signals = signals;
    return check;
  }
}

function advanceTable({
  lossScale,
  accumulate,
  stopsAtNonFinite,
}: GuardOptions): Uint32Array<ArrayBuffer> {
  const { growthInterval, growthFactor, backoffFactor } = lossScale;
  const largest = 3.4028234663852886e38;
  const words = new Uint32Array(6);
  new Float32Array(words.buffer).set([growthFactor, backoffFactor, largest / growthFactor], 1);
  new Float32Array(words.buffer)[4] = accumulate;
  words[0] = Math.min(growthInterval, 0xffff_ffff);
  words[5] = stopsAtNonFinite ? 1 : 0;
  return words;
}
