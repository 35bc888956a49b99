import type { CheckedActivation } from "../activations/activation.js";
import type { Precision } from "../language/precision.js";
import type { Variant } from "../rule/variant.js";
import type { Layout, MemoryRange, Values } from "./memory.js";

/** Values of a shape, in the memory of a backend. Row-major. */
export interface Tensor {
  readonly backend: Backend;
  /** Positive integers; empty for a single number. The first one changes when rows are remapped. */
  readonly shape: readonly number[];
  /** The product of the shape. */
  readonly size: number;
  readonly memory: MemoryRange;
  /**
   * Undefined for plain f32 or f64 without gaps between rows. Parameters, slots, gradients and copies can have gaps;
   * gradients, copies, masks and indices can be of other types.
   */
  readonly layout?: Layout;
  /** True after `free`, and if the memory was detached. */
  readonly freed: boolean;
  /** True if the tensor lost its memory without `free`: a buffer that was transferred or resized, wasm memory that grew. */
  readonly detached?: boolean;
  /**
   * Replaces all values; they are copied before this returns.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `DISPOSED`
   */
  write(values: ArrayLike<number>): void;
  /**
   * A copy of the values after everything that was called before has been executed.
   * @throws {GradstepError} `DISPOSED`
   */
  read(): Promise<Values>;
  /**
   * The live values, on backends whose memory JavaScript can access. Optional.
   * @throws {GradstepError} `DISPOSED`, `INVALID_MEMORY` (a staging tensor without values)
   */
  readonly view?: (() => Values) | undefined;
  /** Frees memory that the backend allocated, not caller-owned memory. A second call does nothing. */
  free(): void;
}

/** A tensor through which a kernel receives typed arrays. */
export interface StagingTensor extends Tensor {
  /**
   * Makes these the values of the tensor for all following runs until the next call. A backend that works on
   * caller-owned memory borrows the array (nothing is copied, and kernels write to the array); other backends copy it
   * before this returns. The length must be the size of the tensor; it is not checked.
   */
  stage(values: Values): void;
}

/** A u32 per row: an array, or a tensor of the backend whose layout is `u32`. */
export type RowValues = Uint32Array | Tensor;

/**
 * What happens to rows that a mask does not select. `keep`: nothing. `decay`: their slots are updated as if the gradient
 * were 0; the parameter stays. `zero`: slots and parameter are updated as if the gradient were 0.
 */
export type UnselectedRows = "keep" | "decay" | "zero";

/** The rows that an update changes; the others stay as they are. */
export interface RowList {
  /** Indices of rows of the parameter; those from `start` to `end` − 1 apply, and differ from each other. */
  readonly indices: Uint32Array;
  /** For each of them, the row of the gradient. */
  readonly gradientRows: Uint32Array;
  readonly start: number;
  readonly end: number;
  /** The scalars of each row, in place of those of the update: in runs of a guard whose rows count their own steps. */
  readonly scalars?: RowScalars | undefined;
}

/**
 * The scalars of the rows of a list that begins at 0, where a device counts the steps of rows: a set for each number of
 * steps that a row may have taken. A step that is taken adds 1 to the count of each row in the list.
 */
export interface RowScalars {
  /** Per row of the parameter, a u32: the steps that it has taken. */
  readonly counts: Tensor;
  /** Per row of the list: what is added to its count for the index of its set, modulo 2³². */
  readonly offsets: Uint32Array;
  /** If the scalars depend on the device's step t as well, `setsPerStep` × (t − `firstStep`) is added; otherwise 0. */
  readonly firstStep: number;
  readonly setsPerStep: number;
  /** The sets, one after the other, each in the order of `variant.scalars`; the first `setCount` are valid. */
  readonly values: Float64Array;
  readonly setCount: number;
}

/** A tensor that each step fills with the new values of a parameter, after an activation. */
export interface ParameterCopy {
  /** Of the parameter's shape; f32 or f16, with any layout. Its words may hold other data, too. */
  readonly target: Tensor;
  readonly activation: CheckedActivation;
}

/** What a step is given in memory of the device, to be read when the step is executed. */
export interface StepSignals {
  /** Multiplies each gradient after it was decoded and before everything else. A tensor has one f32. */
  readonly scale: number | Tensor;
  /** One u32. If it is not 0, the run changes nothing, apart from gradients that are to be cleared. */
  readonly skip: Tensor | undefined;
  /** One f32, the learning rate. The scalars of the update are then those of the rate 0. */
  readonly learningRate: Tensor | undefined;
  /** With `learningRate`: the rate times this is added to each scalar. */
  readonly slopes: Float64Array;
}

/**
 * The update of one parameter. The object lives as long as its tensors belong to the parameter; `gradient`,
 * `clearsGradient`, `mask`, `unselectedRows`, `rows` and `signals` change between runs.
 */
export interface Update {
  readonly parameter: Tensor;
  /** Copies of the parameter, which the kernel updates: of all rows that it updates. */
  readonly copies: readonly ParameterCopy[];
  gradient: Tensor;
  /** If defined, the gradient is by the activated parameter; the kernel applies the chain rule first. */
  readonly gradientActivation: CheckedActivation | undefined;
  /** Whether the kernel sets the gradient to 0 when it has read it, in all rows, whether they are selected or not. */
  clearsGradient: boolean;
  /** Rows whose u32 is not 0 are selected; all rows if undefined. */
  mask: RowValues | undefined;
  unselectedRows: UnselectedRows;
  /**
   * The rows to be updated, instead of a mask; all rows if undefined. Only for kernels with `takesRowLists`. The gradient
   * can have fewer rows than the parameter, or more. A run can have several updates of one parameter with different rows.
   *
   * On backends with tensors of u32, also a tensor with an index per row of the gradient: the gradients of the same row
   * are added in their order, and indices that are too large are left out. Then `unselectedRows` can be `zero`, and there
   * can be a mask: rows without an index are updated as if their gradient were 0, as far as the mask selects them.
   */
  rows?: RowList | Tensor | undefined;
  /**
   * Only for backends with `takesSignals`. All updates of a run have the same `scale` and `skip`; those with the same
   * scalars have the same object, whose content changes between runs.
   */
  signals?: StepSignals | undefined;
  /** In the order of `variant.slots`. A slot of the extent `all` is the same tensor in all updates. */
  readonly slots: readonly Tensor[];
  /** In the order of `variant.scalars`, in f64; set before each run. f32 backends round them to f32. */
  readonly scalars: Float64Array;
  /**
   * Copies the scalars that a later run will have if no hyperparameter is set before it. A backend that uses them has to
   * compare them in that run. Optional.
   *
   * @param steps how many runs later: 1 or more
   * @returns whether they are known
   */
  readonly upcomingScalars?: ((steps: number, target: Float64Array) => boolean) | undefined;
}

/** A compiled variant. A run executes all passes of `variant.passPlan`. */
export interface Kernel {
  /** Readable code, for people: JavaScript, WGSL or a listing. */
  readonly source: string;
  /**
   * Whether updates may have `rows`. Optional: without it, a step of some rows has a mask, and a gradient of all rows, and
   * rows cannot count their own steps.
   */
  readonly takesRowLists?: boolean;
  /**
   * Updates the parameters and slots of the first `count` updates in place. Returns immediately; runs take effect in
   * the order of the calls. Nothing is allocated after the first run with the same tensors.
   */
  run(updates: readonly Update[], count: number): void;
  /**
   * Checks that a run can have this update; changes nothing. The gradient can be that of an earlier step, or the parameter
   * itself if there is none yet. Optional; for backends that may refuse updates of a kernel that was compiled.
   *
   * @param selectsRows whether the run updates selected rows: those of the update's mask, or of a list that is made later
   * @throws {GradstepError} what the run would throw
   */
  check?(update: Update, selectsRows: boolean): void;
  /**
   * A function that repeats the last run of these updates, with the scalars they have when it is called: for steps with
   * the same tensors as the last one, which most steps are. Undefined if another run came between, or if the memory of a
   * tensor has changed. The function must not throw before it updates anything, since the step is already counted.
   *
   * Optional. A run evicts everything else from the caches, so a repeated run should read as little as possible.
   */
  repeater?(updates: readonly Update[]): (() => void) | undefined;
  /**
   * Frees what the kernel keeps for an update that will not be run again. Optional.
   */
  release?(update: Update): void;
  /**
   * Records the same work into a target of the caller, who submits it: a command encoder or a compute pass. Scalars are
   * those at the time of the call. Optional.
   *
   * @throws {GradstepError} `UNSUPPORTED` for another kind of target
   */
  encode?(target: object, updates: readonly Update[], count: number): void;
}

/** The updates that one kernel executes in a step. */
export interface BatchRun {
  readonly kernel: Kernel | undefined;
  readonly updates: readonly Update[];
  /** Number of updates, from the first, that are valid. */
  readonly count: number;
}

/** How `Backend.remap` moves the rows of one tensor. */
export interface RowMove {
  readonly tensor: Tensor;
  /**
   * The value of rows that are reset, or the tensor from which they are copied after all moves: one whose rows were moved
   * already, or are moved with `reset: "added"`.
   */
  readonly initial: number | Tensor;
  /**
   * Which rows are reset: those without a source (`added`); these and those with a u32 that is not 0; or `all`. `written`:
   * the values of all rows are written after the move, so that only the shape changes.
   */
  readonly reset: "added" | RowValues | "all" | "written";
}

/** The sources of the new rows. */
export interface RowSources {
  /** The new number of rows, at least 1. */
  readonly count: number;
  /** The old index of each new row. `newRow`, and in a tensor every index that is too large, means that there is none. */
  readonly indices: RowValues;
  /** A mask of `Backend.rowLimit`: rows that it does not select have no source. */
  readonly limit?: Tensor | undefined;
}

/** The index of a row without a source. */
export const newRow = 0xffff_ffff;

/** Holds tensors and runs kernels. A backend knows rules only as data. */
export interface Backend {
  /** `cpu-js`, `wasm`, `webgpu`, …: for messages and reports. */
  readonly name: string;
  /** The precision of values and arithmetic. */
  readonly precision: Precision;
  /** Whether results are bit-identical to the f32 reference. */
  readonly exact: boolean;
  /**
   * Allocates a tensor of zeros, or of `values`.
   *
   * @param pool 0 for parameters, 1 for gradients, 2 and more for the slots of a rule, in their order. Backends whose
   * kernels bind whole buffers allocate each pool from buffers of its own; others ignore it.
   * @throws {GradstepError} `INVALID_SHAPE`, `LENGTH_MISMATCH`, `OUT_OF_MEMORY`, `DEVICE_LOST`
   */
  tensor(shape: readonly number[], values?: ArrayLike<number>, pool?: number): Tensor;
  /**
   * Reserves memory for tensors of these sizes (in values), so that the following calls of `tensor` place them in one
   * buffer. A hint. Optional.
   */
  reserve?(sizes: readonly number[], pool?: number): void;
  /** A tensor that has no values before `stage`. @throws {GradstepError} `INVALID_SHAPE` */
  staging(shape: readonly number[]): StagingTensor;
  /** Compiles a variant, or returns the kernel that was compiled before. */
  compile(variant: Variant): Kernel;
  /**
   * Moves rows: row `i` becomes what row `indices[i]` was. All tensors have the same number of rows. Their shapes change;
   * memory that the backend owns grows by at least half if it is too small, caller-owned memory cannot grow. Optional; a
   * backend with it must respect `mask` in updates.
   *
   * @throws {GradstepError} `OUT_OF_MEMORY`, `INVALID_MEMORY`; then nothing has changed
   */
  remap?(moves: readonly RowMove[], sources: RowSources): void;
  /**
   * The same, recorded into a target of the caller. Shapes change at once; rows move when the caller's work is executed.
   * Old memory that it needs is kept until one of the tensors is moved once more without this target, or freed.
   * Optional; a backend with it has `encodeFillCopy` as well if it has `fillCopy`.
   */
  encodeRemap?(target: object, moves: readonly RowMove[], sources: RowSources): void;
  /**
   * A mask that selects the rows below a number. If the number is on the device, the first u32 of a tensor, kernels and
   * remaps read it when they are executed. Optional.
   */
  rowLimit?(count: Tensor | number): Tensor;
  /**
   * A mask that selects the rows whose value in a tensor of one value per row is not 0 when kernels read it; valid until
   * the tensor is freed or its rows are moved. Optional; without it, masks in memory that the host does not see cannot be
   * combined over the calls of a step.
   */
  maskOf?(flags: Tensor): Tensor;
  /**
   * Copies all values of a tensor to another of the same size. Optional; a backend without it has no slots that start as
   * a copy of their parameter.
   */
  copy?(source: Tensor, target: Tensor): void;
  /**
   * Runs the kernels of several rules as one step: temporaries of the extent `all` with equal keys are reduced over the
   * tensors of all runs, those of the first run first. Passes run level by level, at each level those of all runs.
   * Optional; a backend without it runs only rules that share no such reduction.
   */
  runTogether?(runs: readonly BatchRun[]): void;
  /** Records the same work into a target of the caller. A backend whose kernels have `encode` has both or neither. */
  encodeTogether?(target: object, runs: readonly BatchRun[]): void;
  /** Fills a copy with the values of a parameter. Optional; a backend with it must respect `copies` in updates. */
  fillCopy?(parameter: Tensor, copy: ParameterCopy): void;
  /** The same, recorded into a target of the caller. Optional. */
  encodeFillCopy?(target: object, parameter: Tensor, copy: ParameterCopy): void;
  /**
   * Whether parameters, slots and gradients of updates may have any layout, and kernels respect `gradientActivation` and
   * `clearsGradient`. Optional; without it, parameters and slots are plain.
   */
  readonly takesLayouts?: boolean;
  /**
   * Whether kernels respect `signals`. Optional; without it, the host reads tensors that have a `view`, and refuses
   * others.
   */
  readonly takesSignals?: boolean;
  /**
   * Frees what the backend holds, such as memory, threads, or a device that it requested. Tensors of the backend cannot
   * be used afterwards. A second call does nothing. A backend that holds nothing may omit it.
   */
  dispose?(): void;
}

/** What a caller records work into, for tensors of this type: what their backend's `encodeTogether` takes. */
export type EncodeTargetOf<T extends Tensor> =
  Required<T["backend"]> extends { encodeTogether(target: infer E, runs: never): void }
    ? E
    : object;
