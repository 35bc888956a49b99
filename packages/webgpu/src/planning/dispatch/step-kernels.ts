import type { Variant } from "@gradstep/core";
import type { ErrorTracker } from "../../device/error-tracker.js";
import { cachedPipeline, type CompiledPipeline } from "../../device/pipeline-cache.js";
import { computeStage } from "../../device/webgpu-constants.js";
import { checkBindingCount } from "./binding-count.js";
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
import { emitNewtonSchulzKernel, newtonSchulzArrays } from "../../shaders/newton-schulz-kernel.js";
import { type NewtonSchulzStage } from "../../shaders/newton-schulz-stages.js";
import { rowListArrays, rowListKernel } from "../../shaders/row-list-kernel.js";
import { rowScalarsArrays, rowScalarsKernel } from "../../shaders/row-scalars-kernel.js";
import { rowBindingsOf } from "../../shaders/row-bindings.js";
import { emitRowKernel } from "../../shaders/row-kernel.js";

/** What a kernel computes: a program, or what all variants have in common. */
type KernelKind = KernelProgram | "join" | "newton-schulz" | "row-list" | "row-scalars";

/** What a kernel is made of. */
interface KernelDescription {
  /** Names it in messages, after the variant. */
  readonly label: string;
  /** The WGSL module, asked for when the kernel is compiled. */
  readonly code: () => string;
  /** Equal for kernels of a kind whose bindings are the same. */
  readonly layoutKey: string;
  readonly arrays: readonly ArrayBinding[];
  readonly scalarSetLength: number;
  readonly scaleIndex?: number | undefined;
  readonly usesScratch: boolean;
}

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
    return this.#ofProgram(program, layout, emitDenseKernel);
  }

  /** @throws {GradstepError} `UNSUPPORTED` if the device cannot bind enough arrays */
  rows(program: KernelProgram, layout: RowKernelLayout): StepKernel {
    return this.#ofProgram(program, layout, emitRowKernel);
  }

  /** @throws {GradstepError} `UNSUPPORTED` if the device cannot bind enough arrays */
  matrixReduction(program: KernelProgram, layout: RowKernelLayout): StepKernel {
    return this.#ofProgram(program, layout, emitMatrixReductionKernel, "matrices ");
  }

  /** All passes in one kernel. @throws {GradstepError} `UNSUPPORTED` if the device cannot bind enough arrays */
  fusedRows(fused: FusedRows, layout: RowKernelLayout): StepKernel {
    return this.#ofProgram(fused.kernel, layout, () => emitFusedRowKernel(fused, layout));
  }

  /** A stage of a Newton–Schulz iteration. */
  newtonSchulz(stage: NewtonSchulzStage, variant: Variant): StepKernel {
    const name = "newton-schulz";
    return this.#cached(name, stage, () => {
      const length = scalarSetLength(variant);
      return {
        label: `${name} ${stage}`,
        code: () => emitNewtonSchulzKernel(stage, length),
        layoutKey: name,
        arrays: newtonSchulzArrays,
        scalarSetLength: length,
        usesScratch: false,
      };
    });
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
    return this.#cached(name, name, () => ({
      label: name,
      code: () => code,
      layoutKey: name,
      arrays,
      scalarSetLength: 16,
      usesScratch: name === "join",
    }));
  }

  /** A kernel of a program. @param kind the beginning of its name, where a program has kernels of several kinds */
  #ofProgram<L extends KernelLayout>(
    program: KernelProgram,
    layout: L,
    emit: (program: KernelProgram, layout: L) => string,
    kind = "",
  ): StepKernel {
    const key = kind + kernelLayoutKey(layout);
    return this.#cached(program, key, () => {
      const arrays = isRowKernelLayout(layout)
        ? rowBindingsOf(program, layout)
        : denseBindingsOf(program, layout);
      checkBindingCount(this.#device, this.#label, { needed: arrays.length + 1, program, layout });
      return {
        label: key,
        code: () => emit(program, layout),
        layoutKey: bindGroupLayoutKey(layout),
        arrays,
        scalarSetLength: scalarSetLength(program),
        scaleIndex: program.isScaled === true ? program.scalars.length : undefined,
        usesScratch: usesScratch(program),
      };
    });
  }

  #cached(kind: KernelKind, key: string, describe: () => KernelDescription): StepKernel {
    const known = this.#kernels.get(kind) ?? new Map<string, StepKernel>();
    this.#kernels.set(kind, known);
    const kernel = known.get(key) ?? this.#make(kind, describe());
    known.set(key, kernel);
    return kernel;
  }

  #make(kind: KernelKind, description: KernelDescription): StepKernel {
    const { label, code, scaleIndex } = description;
    const bindGroupLayout = this.#bindGroupLayoutOf(kind, description);
    let compiled: CompiledPipeline | undefined;
    return {
      bindGroupLayout,
      usesScratch: description.usesScratch,
      scaleIndex,
      scalarSetLength: description.scalarSetLength,
      compile: () => {
        compiled ??= cachedPipeline(this.#device, this.#errors, {
          label: `gradstep ${this.#label}, ${label}`,
          code: code(),
          layout: bindGroupLayout,
        });
        return compiled;
      },
    };
  }

  #bindGroupLayoutOf(
    kind: KernelKind,
    { layoutKey, arrays, scalarSetLength: scalarLength }: KernelDescription,
  ): GPUBindGroupLayout {
    const layouts = this.#bindGroupLayouts.get(kind) ?? new Map<string, GPUBindGroupLayout>();
    this.#bindGroupLayouts.set(kind, layouts);
    const known = layouts.get(layoutKey);
    if (known !== undefined) return known;
    const visibility = computeStage;
    const layout = this.#device.createBindGroupLayout({
      label: `gradstep ${this.#label}, ${layoutKey}`,
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
    layouts.set(layoutKey, layout);
    return layout;
  }
}
