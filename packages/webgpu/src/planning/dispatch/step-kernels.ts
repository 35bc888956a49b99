import { GradstepError, type Variant } from "@gradstep/core";
import type { ErrorTracker } from "../../device/error-tracker.js";
import { cachedPipeline, type CompiledPipeline } from "../../device/pipeline-cache.js";
import { computeStage } from "../../device/webgpu-constants.js";
import type { StepKernel } from "./dispatch.js";
import { emitDenseKernel } from "../../shaders/dense-kernel.js";
import { emitFusedRowKernel } from "../../shaders/fused-row-kernel.js";
import type { FusedRows } from "../../shaders/fused-rows.js";
import { joinKernel } from "../../shaders/join-kernel.js";
import {
  bindGroupLayoutKey,
  denseBindingsOf,
  firstArrayBinding,
  isRowKernelLayout,
  kernelLayoutKey,
  maxScalarSets,
  scalarsBinding,
  scalarSetLength,
  tableBinding,
  type ArrayBinding,
  type DenseKernelLayout,
  type KernelLayout,
  type RowKernelLayout,
} from "../../shaders/kernel-layout.js";
import { usesScratch, type KernelProgram } from "../../shaders/kernel-program.js";
import { emitMatrixReductionKernel } from "../../shaders/matrix-reduction-kernel.js";
import {
  emitNewtonSchulzKernel,
  newtonSchulzArrays,
  type NewtonSchulzStage,
} from "../../shaders/newton-schulz-kernel.js";
import { rowListArrays, rowListKernel } from "../../shaders/row-list-kernel.js";
import { rowScalarsArrays, rowScalarsKernel } from "../../shaders/row-scalars-kernel.js";
import { rowBindingsOf } from "../../shaders/row-bindings.js";
import { emitRowKernel } from "../../shaders/row-kernel.js";

/** What a kernel computes: a program, or what all variants have in common. */
type KernelKind = KernelProgram | "join" | "newton-schulz" | "row-list" | "row-scalars";

/** The kernels of a variant on a device, compiled when they are first used: one per program and layout that occurs. */
export class StepKernels {
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  readonly #label: string;
  readonly #kernels = new Map<KernelKind, Map<string, StepKernel>>();
  readonly #bindGroupLayouts = new Map<KernelKind, Map<string, GPUBindGroupLayout>>();

  /** @param label names the variant in messages */
  constructor(device: GPUDevice, errors: ErrorTracker, label: string) {
    this.#device = device;
    this.#errors = errors;
    this.#label = label;
  }

  /** @throws {GradstepError} `UNSUPPORTED` if the device cannot bind enough arrays */
  dense(program: KernelProgram, layout: DenseKernelLayout): StepKernel {
    return this.#known(program, kernelLayoutKey(layout), layout, () =>
      emitDenseKernel(program, layout),
    );
  }

  /** @throws {GradstepError} `UNSUPPORTED` if the device cannot bind enough arrays */
  rows(program: KernelProgram, layout: RowKernelLayout): StepKernel {
    return this.#known(program, kernelLayoutKey(layout), layout, () =>
      emitRowKernel(program, layout),
    );
  }

  /** @throws {GradstepError} `UNSUPPORTED` if the device cannot bind enough arrays */
  matrixReduction(program: KernelProgram, layout: RowKernelLayout): StepKernel {
    return this.#known(program, `matrices ${kernelLayoutKey(layout)}`, layout, () =>
      emitMatrixReductionKernel(program, layout),
    );
  }

  /** All passes in one kernel. @throws {GradstepError} `UNSUPPORTED` if the device cannot bind enough arrays */
  fusedRows(fused: FusedRows, layout: RowKernelLayout): StepKernel {
    return this.#known(fused.kernel, kernelLayoutKey(layout), layout, () =>
      emitFusedRowKernel(fused, layout),
    );
  }

  /** A stage of a Newton–Schulz iteration. */
  newtonSchulz(stage: NewtonSchulzStage, variant: Variant): StepKernel {
    const name = "newton-schulz";
    const known = this.#kernels.get(name) ?? new Map<string, StepKernel>();
    this.#kernels.set(name, known);
    const found = known.get(stage);
    if (found !== undefined) return found;
    const length = scalarSetLength(variant);
    const bindGroupLayout = this.#bindGroupLayoutOf(name, name, newtonSchulzArrays, length);
    const emit = (): string => emitNewtonSchulzKernel(stage, length);
    const kernel: StepKernel = {
      bindGroupLayout,
      usesScratch: false,
      scalarSetLength: length,
      compile: this.#compilerOf(`${name} ${stage}`, emit, bindGroupLayout),
    };
    known.set(stage, kernel);
    return kernel;
  }

  /** Makes lists of rows from tensors of indices. */
  get rowList(): StepKernel {
    return this.#common("row-list", rowListKernel, rowListArrays);
  }

  /** Finds the scalars of rows that count their own steps. */
  get rowScalars(): StepKernel {
    return this.#common("row-scalars", rowScalarsKernel, rowScalarsArrays);
  }

  /** Joins values of the scratch buffer. */
  get join(): StepKernel {
    return this.#common("join", joinKernel, [{ name: "scratch", access: "read_write" }]);
  }

  /** A kernel that all variants have in common. */
  #common(
    name: "join" | "row-list" | "row-scalars",
    code: string,
    arrays: readonly ArrayBinding[],
  ): StepKernel {
    const known = this.#kernels.get(name)?.get("");
    if (known !== undefined) return known;
    const bindGroupLayout = this.#bindGroupLayoutOf(name, name, arrays, 16);
    const kernel: StepKernel = {
      bindGroupLayout,
      usesScratch: name === "join",
      scalarSetLength: 16,
      compile: this.#compilerOf(name, () => code, bindGroupLayout),
    };
    this.#kernels.set(name, new Map([["", kernel]]));
    return kernel;
  }

  #known(
    program: KernelProgram,
    key: string,
    layout: KernelLayout,
    emit: () => string,
  ): StepKernel {
    const known = this.#kernels.get(program) ?? new Map<string, StepKernel>();
    this.#kernels.set(program, known);
    const found = known.get(key);
    if (found !== undefined) return found;
    const arrays = isRowKernelLayout(layout)
      ? rowBindingsOf(program, layout)
      : denseBindingsOf(program, layout);
    this.#checkBindingCount(arrays.length + 1, program, layout);
    const length = scalarSetLength(program);
    const bindGroupLayout = this.#bindGroupLayoutOf(
      program,
      bindGroupLayoutKey(layout),
      arrays,
      length,
    );
    const kernel: StepKernel = {
      bindGroupLayout,
      usesScratch: usesScratch(program),
      scaleIndex: program.isScaled === true ? program.scalars.length : undefined,
      scalarSetLength: length,
      compile: this.#compilerOf(key, emit, bindGroupLayout),
    };
    known.set(key, kernel);
    return kernel;
  }

  #compilerOf(
    key: string,
    emit: () => string,
    bindGroupLayout: GPUBindGroupLayout,
  ): () => CompiledPipeline {
    let compiled: CompiledPipeline | undefined;
    return () => {
      compiled ??= cachedPipeline(this.#device, this.#errors, {
        label: `gradstep ${this.#label}, ${key}`,
        code: emit(),
        layout: bindGroupLayout,
      });
      return compiled;
    };
  }

  #bindGroupLayoutOf(
    program: KernelKind,
    key: string,
    arrays: readonly ArrayBinding[],
    scalarLength: number,
  ): GPUBindGroupLayout {
    const layouts = this.#bindGroupLayouts.get(program) ?? new Map<string, GPUBindGroupLayout>();
    this.#bindGroupLayouts.set(program, layouts);
    const known = layouts.get(key);
    if (known !== undefined) return known;
    const visibility = computeStage;
    const layout = this.#device.createBindGroupLayout({
      label: `gradstep ${this.#label}, ${key}`,
      entries: [
        { binding: tableBinding, visibility, buffer: { type: "read-only-storage" } },
        {
          binding: scalarsBinding,
          visibility,
          buffer: {
            type: "uniform",
            hasDynamicOffset: true,
            minBindingSize: scalarLength * maxScalarSets,
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
    layouts.set(key, layout);
    return layout;
  }

  #checkBindingCount(needed: number, { arrays }: KernelProgram, layout: KernelLayout): void {
    const { maxStorageBuffersPerShaderStage: limit } = this.#device.limits;
    if (needed <= limit) return;
    const bound = arrays.filter(
      ({ name, isScratch }) => !isScratch && name !== "p" && name !== "g",
    );
    const temporaries = bound.filter(({ name }) => name.startsWith("@")).length;
    const isRows = isRowKernelLayout(layout);
    const parts = [
      `${bound.length - temporaries} slots`,
      ...(temporaries > 0 ? [`${temporaries} temporaries`] : []),
      ...(isRows && layout.mask ? ["a mask"] : []),
      ...(isRows && layout.copies > 0
        ? [layout.copies > 1 ? `${layout.copies} copies` : "a copy"]
        : []),
    ];
    throw new GradstepError(
      `${this.#label} with ${parts.join(", ")} needs ${needed} storage buffers in a shader; this device allows ${limit}. Request a higher maxStorageBuffersPerShaderStage.`,
      { code: "UNSUPPORTED" },
    );
  }
}
