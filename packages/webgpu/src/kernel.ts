import { GradstepError, show, type Kernel, type Update, type Variant } from "@gradstep/core";
import {
  arraysOf,
  emitWgsl,
  firstArrayBinding,
  scalarGroups,
  scalarsBinding,
  scalarStride,
  tableBinding,
  type Form,
} from "./emit-wgsl.js";
import type { Guard } from "./guard.js";
import { pipelineOf, type Pipeline } from "./pipelines.js";
import { Plan, type PlanContext } from "./prepared-plan.js";
import { computeStage } from "./usage.js";

/** How many batches of tensors are remembered: several optimizers, each with a few sets of gradient buffers. */
export const rememberedPlans = 32;

/** A command encoder of the caller's, or a compute pass. */
export type EncodeTarget = GPUCommandEncoder | GPUComputePassEncoder;

/** A variant on a device: one pipeline for each form that is needed, usually one. */
export class WebGpuKernel implements Kernel {
  readonly source: string;
  readonly #variant: Variant;
  readonly #device: GPUDevice;
  readonly #guard: Guard;
  readonly #context: PlanContext;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** The most recently used first. */
  readonly #plans: Plan[] = [];

  /** @throws {GradstepError} `UNSUPPORTED` where the device cannot bind as many arrays */
  constructor(device: GPUDevice, guard: Guard, variant: Variant) {
    const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize } = device.limits;
    const needed = variant.slots.length + 3;
    if (needed > maxStorageBuffersPerShaderStage) {
      throw new GradstepError(
        `${variant.label} has ${variant.slots.length} slots, for which a shader binds ${needed} storage buffers; this device has ${maxStorageBuffersPerShaderStage}. Ask for a higher maxStorageBuffersPerShaderStage.`,
        { code: "UNSUPPORTED" },
      );
    }
    this.source = emitWgsl(variant);
    this.#variant = variant;
    this.#device = device;
    this.#guard = guard;
    this.#context = {
      device,
      variant,
      limits: {
        bindingSize: maxStorageBufferBindingSize - (maxStorageBufferBindingSize % 16),
        alignment: device.limits.minStorageBufferOffsetAlignment,
      },
      layout: (form) => this.#layout(form),
      pipeline: (form) => this.#pipeline(form),
    };
  }

  run(updates: readonly Update[], count: number): void {
    const plan = this.#plan(updates, count);
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    plan.encode(pass);
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
  }

  encode(target: object, updates: readonly Update[], count: number): void {
    const own = target as Partial<EncodeTarget>;
    if ("dispatchWorkgroups" in own) {
      this.#plan(updates, count).encodeAhead(() => own as GPUComputePassEncoder, target);
    } else if ("beginComputePass" in own) {
      let pass: GPUComputePassEncoder | undefined;
      this.#plan(updates, count).encodeAhead(() => {
        pass = (own as GPUCommandEncoder).beginComputePass();
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

  /** How many dispatches the last batch was. */
  get dispatches(): number {
    return this.#plans[0]?.dispatches ?? 0;
  }

  /** Frees what it made. */
  release(): void {
    for (const plan of this.#plans.splice(0)) plan.release();
  }

  #plan(updates: readonly Update[], count: number): Plan {
    this.#guard.check();
    for (let i = 0; i < this.#plans.length; i += 1) {
      const plan = this.#plans[i];
      if (!plan.fits(updates, count)) continue;
      plan.check();
      if (i > 0) {
        this.#plans.copyWithin(1, 0, i);
        this.#plans[0] = plan;
      }
      return plan;
    }
    const plan = new Plan(this.#context, updates, count);
    plan.check();
    this.#plans.unshift(plan);
    plan.whenFreed(() => this.#drop(plan));
    if (this.#plans.length > rememberedPlans) this.#plans.pop()!.forget();
    return plan;
  }

  #drop(plan: Plan): void {
    const index = this.#plans.indexOf(plan);
    if (index < 0) return;
    this.#plans.splice(index, 1);
    plan.release();
  }

  #layout(form: Form): GPUBindGroupLayout {
    // The width says nothing about what is bound.
    const found = this.#layouts.get(form.gradients);
    if (found !== undefined) return found;
    const visibility = computeStage;
    const layout = this.#device.createBindGroupLayout({
      label: `gradstep ${this.#variant.label}, ${form.gradients}`,
      entries: [
        { binding: tableBinding, visibility, buffer: { type: "read-only-storage" } },
        {
          binding: scalarsBinding,
          visibility,
          buffer: {
            type: "uniform",
            hasDynamicOffset: true,
            minBindingSize: scalarStride(this.#variant) * scalarGroups,
          },
        },
        ...arraysOf(this.#variant, form).map((name, i) => ({
          binding: firstArrayBinding + i,
          visibility,
          buffer: {
            type:
              name === "g" && form.gradients === "apart"
                ? ("read-only-storage" as const)
                : ("storage" as const),
          },
        })),
      ],
    });
    this.#layouts.set(form.gradients, layout);
    return layout;
  }

  #pipeline(form: Form): Pipeline {
    const key = `${form.width} ${form.gradients}`;
    const found = this.#pipelines.get(key);
    if (found !== undefined) return found;
    const label = `gradstep ${this.#variant.label}, ${key}`;
    const code = emitWgsl(this.#variant, form);
    const pipeline = pipelineOf(this.#device, this.#guard, label, code, this.#layout(form));
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }
}
