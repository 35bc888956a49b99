import { GradstepError, show, type Kernel, type Update, type Variant } from "@gradstep/core";
import type { ErrorTracker } from "./device/error-tracker.js";
import { cachedPipeline, type CompiledPipeline } from "./device/pipeline-cache.js";
import { computeStage } from "./device/webgpu-constants.js";
import { bindingLimitsOf } from "./planning/dispatch.js";
import { StepPlan, type StepPlanContext } from "./planning/step-plan.js";
import { emitDenseKernel } from "./shaders/dense-kernel.js";
import {
  arrayBindingsOf,
  bindGroupLayoutKey,
  defaultKernelLayout,
  firstArrayBinding,
  isRowKernelLayout,
  kernelLayoutKey,
  maxScalarSets,
  scalarsBinding,
  scalarSetLength,
  tableBinding,
  type KernelLayout,
} from "./shaders/kernel-layout.js";
import { emitRowKernel } from "./shaders/row-kernel.js";

/** How many batches of tensors a kernel remembers: for several optimizers, each with a few sets of gradient buffers. */
export const maxRememberedPlans = 32;

/** An encoder of the caller that `optimizer.encode` records into. */
export type EncodeTarget = GPUCommandEncoder | GPUComputePassEncoder;

/** A variant on a device. It has one pipeline per kernel layout that occurs, usually one. */
export class WebGpuKernel implements Kernel {
  readonly source: string;
  readonly #variant: Variant;
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  readonly #context: StepPlanContext;
  readonly #pipelines = new Map<string, CompiledPipeline>();
  readonly #bindGroupLayouts = new Map<string, GPUBindGroupLayout>();
  /** The most recently used first. */
  readonly #plans: StepPlan[] = [];

  /** @throws {GradstepError} `UNSUPPORTED` if the device cannot bind enough arrays */
  constructor(device: GPUDevice, errors: ErrorTracker, variant: Variant) {
    this.source = emitDenseKernel(variant);
    this.#variant = variant;
    this.#device = device;
    this.#errors = errors;
    this.#context = {
      device,
      variant,
      limits: bindingLimitsOf(device),
      bindGroupLayoutOf: (layout) => this.#bindGroupLayoutOf(layout),
      pipelineOf: (layout) => this.#pipelineOf(layout),
    };
    this.#bindGroupLayoutOf(defaultKernelLayout);
  }

  run(updates: readonly Update[], count: number): void {
    const plan = this.#planFor(updates, count);
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    plan.encode(pass);
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
  }

  encode(target: object, updates: readonly Update[], count: number): void {
    for (let i = 0; i < count; i += 1) {
      const { mask } = updates[i];
      if (ArrayBuffer.isView(mask))
        throw new GradstepError(
          `Got ${show(mask)} as a mask to encode; expected a tensor, since the encoder may be submitted after the array has changed. Wrap a GPUBuffer with dtype: "u32".`,
          { code: "UNSUPPORTED" },
        );
    }
    // Boxed, since the operator `in` throws for primitive values.
    const encoder = Object(target) as Partial<EncodeTarget>;
    if ("dispatchWorkgroups" in encoder) {
      const plan = this.#planFor(updates, count);
      plan.encodeDeferred(() => encoder as GPUComputePassEncoder, target);
    } else if ("beginComputePass" in encoder) {
      let pass: GPUComputePassEncoder | undefined;
      this.#planFor(updates, count).encodeDeferred(() => {
        pass = (encoder as GPUCommandEncoder).beginComputePass();
        return pass;
      }, target);
      pass?.end();
    } else {
      throw new GradstepError(
        `Got ${show(target)} to encode into; expected a GPUCommandEncoder or a GPUComputePassEncoder.`,
        { code: "UNSUPPORTED" },
      );
    }
  }

  /** Dispatches of the last batch. */
  get dispatches(): number {
    return this.#plans[0]?.dispatchCount ?? 0;
  }

  /** The plans with steps since the last call. */
  takeExecutedPlans(): StepPlan[] {
    return this.#plans.filter((plan) => plan.takeHasExecuted());
  }

  destroy(): void {
    for (const plan of this.#plans.splice(0)) plan.destroy();
  }

  #planFor(updates: readonly Update[], count: number): StepPlan {
    this.#errors.check();
    for (let i = 0; i < this.#plans.length; i += 1) {
      const plan = this.#plans[i];
      if (!plan.matches(updates, count)) continue;
      plan.check();
      if (i > 0) {
        this.#plans.copyWithin(1, 0, i);
        this.#plans[0] = plan;
      }
      return plan;
    }
    const plan = new StepPlan(this.#context, updates, count);
    plan.check();
    this.#plans.unshift(plan);
    plan.whenInvalidated(() => this.#remove(plan));
    if (this.#plans.length > maxRememberedPlans) this.#plans.pop()!.retire();
    return plan;
  }

  #remove(plan: StepPlan): void {
    const index = this.#plans.indexOf(plan);
    if (index < 0) return;
    this.#plans.splice(index, 1);
    plan.destroy();
  }

  #bindGroupLayoutOf(layout: KernelLayout): GPUBindGroupLayout {
    const key = bindGroupLayoutKey(layout);
    const known = this.#bindGroupLayouts.get(key);
    if (known !== undefined) return known;
    const arrays = arrayBindingsOf(this.#variant, layout);
    this.#checkBindingCount(arrays.length + 1, layout);
    const visibility = computeStage;
    const bindGroupLayout = this.#device.createBindGroupLayout({
      label: `gradstep ${this.#variant.label}, ${key}`,
      entries: [
        { binding: tableBinding, visibility, buffer: { type: "read-only-storage" } },
        {
          binding: scalarsBinding,
          visibility,
          buffer: {
            type: "uniform",
            hasDynamicOffset: true,
            minBindingSize: scalarSetLength(this.#variant) * maxScalarSets,
          },
        },
        ...arrays.map(({ access }, i) => ({
          binding: firstArrayBinding + i,
          visibility,
          buffer: {
            type: access === "read" ? ("read-only-storage" as const) : ("storage" as const),
          },
        })),
      ],
    });
    this.#bindGroupLayouts.set(key, bindGroupLayout);
    return bindGroupLayout;
  }

  #checkBindingCount(needed: number, layout: KernelLayout): void {
    const { maxStorageBuffersPerShaderStage: limit } = this.#device.limits;
    if (needed <= limit) return;
    const { label, slots } = this.#variant;
    const isRows = isRowKernelLayout(layout);
    const parts = [
      `${slots.length} slots`,
      ...(isRows && layout.mask ? ["a mask"] : []),
      ...(isRows && layout.mirror ? ["a mirror"] : []),
    ];
    throw new GradstepError(
      `${label} with ${parts.join(", ")} needs ${needed} storage buffers in a shader; this device allows ${limit}. Request a higher maxStorageBuffersPerShaderStage.`,
      { code: "UNSUPPORTED" },
    );
  }

  #pipelineOf(layout: KernelLayout): CompiledPipeline {
    const key = kernelLayoutKey(layout);
    const known = this.#pipelines.get(key);
    if (known !== undefined) return known;
    const label = `gradstep ${this.#variant.label}, ${key}`;
    const code = isRowKernelLayout(layout)
      ? emitRowKernel(this.#variant, layout)
      : emitDenseKernel(this.#variant, layout);
    const bindGroupLayout = this.#bindGroupLayoutOf(layout);
    const pipeline = cachedPipeline(this.#device, this.#errors, label, code, bindGroupLayout);
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }
}
