import { GradstepError, show, type Kernel, type Update, type Variant } from "@gradstep/core";
import { emitRows } from "./shaders/row-kernel.js";
import { emitWgsl } from "./shaders/dense-kernel.js";
import {
  arraysOf,
  firstArrayBinding,
  formKey,
  isRowForm,
  layoutKey,
  scalarGroups,
  scalarsBinding,
  scalarStride,
  tableBinding,
  usualForm,
  type Form,
  type RowForm,
} from "./shaders/kernel-layout.js";
import type { Guard } from "./device/error-tracker.js";
import { pipelineOf, type Pipeline } from "./device/pipeline-cache.js";
import { bindingLimits } from "./planning/dense-dispatches.js";
import { Plan, type PlanContext } from "./planning/step-plan.js";
import { computeStage } from "./device/webgpu-constants.js";

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
    this.source = emitWgsl(variant);
    this.#variant = variant;
    this.#device = device;
    this.#guard = guard;
    this.#context = {
      device,
      variant,
      limits: bindingLimits(device),
      layout: (form) => this.#layout(form),
      pipeline: (form) => this.#pipeline(form),
    };
    this.#layout(usualForm);
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
    for (let i = 0; i < count; i += 1) {
      const { mask } = updates[i];
      if (ArrayBuffer.isView(mask))
        throw new GradstepError(
          `Got ${show(mask)} as a mask to encode; expected a tensor, since arrays are not read when the work is done. Wrap a GPUBuffer with dtype: "u32".`,
          { code: "UNSUPPORTED" },
        );
    }
    // What is no object has none of the methods, and cannot be asked for them.
    const own = Object(target) as Partial<EncodeTarget>;
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
    plan.whenStale(() => this.#drop(plan));
    if (this.#plans.length > rememberedPlans) this.#plans.pop()!.forget();
    return plan;
  }

  #drop(plan: Plan): void {
    const index = this.#plans.indexOf(plan);
    if (index < 0) return;
    this.#plans.splice(index, 1);
    plan.release();
  }

  #layout(form: Form | RowForm): GPUBindGroupLayout {
    const key = layoutKey(form);
    const found = this.#layouts.get(key);
    if (found !== undefined) return found;
    const arrays = arraysOf(this.#variant, form);
    this.#checkBindings(arrays.length + 1, form);
    const visibility = computeStage;
    const layout = this.#device.createBindGroupLayout({
      label: `gradstep ${this.#variant.label}, ${key}`,
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
        ...arrays.map(({ access }, i) => ({
          binding: firstArrayBinding + i,
          visibility,
          buffer: {
            type: access === "read" ? ("read-only-storage" as const) : ("storage" as const),
          },
        })),
      ],
    });
    this.#layouts.set(key, layout);
    return layout;
  }

  #checkBindings(needed: number, form: Form | RowForm): void {
    const { maxStorageBuffersPerShaderStage: most } = this.#device.limits;
    if (needed <= most) return;
    const { label, slots } = this.#variant;
    const besides =
      isRowForm(form) && form.mask
        ? form.copy
          ? ", a mask and a copy"
          : ", a mask"
        : isRowForm(form) && form.copy
          ? ", a copy"
          : "";
    throw new GradstepError(
      `${label} has ${slots.length} slots${besides}, for which a shader binds ${needed} storage buffers; this device has ${most}. Ask for a higher maxStorageBuffersPerShaderStage.`,
      { code: "UNSUPPORTED" },
    );
  }

  #pipeline(form: Form | RowForm): Pipeline {
    const key = formKey(form);
    const found = this.#pipelines.get(key);
    if (found !== undefined) return found;
    const label = `gradstep ${this.#variant.label}, ${key}`;
    const code = isRowForm(form) ? emitRows(this.#variant, form) : emitWgsl(this.#variant, form);
    const pipeline = pipelineOf(this.#device, this.#guard, label, code, this.#layout(form));
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }
}
