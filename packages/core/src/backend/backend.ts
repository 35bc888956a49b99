import type { Variant } from "../rule/variant.js";

/** Numbers of a tensor. A backend of precision "f64" holds a Float64Array, every other a Float32Array. */
export type Values = Float32Array | Float64Array;

/** Where a tensor's bytes are, so that tensors that share memory are found. */
export interface MemoryRange {
  /** What owns the bytes: an ArrayBuffer, a GPUBuffer, the memory of a wasm module. Compared by identity. */
  readonly buffer: object;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** How values lie in memory that is not simply one f32 or f64 after the other. */
export interface Layout {
  /** What a value is: `f16` is packed in pairs into words of four bytes, `u32` holds indices and masks. */
  readonly dtype: "f32" | "f16" | "u32";
  /** From the first value of a row to the first of the next, counted in values. */
  readonly rowStride: number;
}

/** Values of one shape, in the memory of one backend. Row-major. */
export interface Tensor {
  readonly backend: Backend;
  /** Positive integers; empty for a single number. The first changes when rows are remapped. */
  readonly shape: readonly number[];
  /** The product of the shape. */
  readonly size: number;
  readonly memory: MemoryRange;
  /** Only where it is not plain f32 or f64: such a tensor can be a gradient, a copy, a mask or indices. */
  readonly layout?: Layout;
  /** True after `free`. */
  readonly freed: boolean;
  /**
   * Replaces all values; they are copied before this returns.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `DISPOSED`
   */
  write(values: ArrayLike<number>): void;
  /**
   * A copy of the values as they are once everything that was called before has been done.
   * @throws {GradstepError} `DISPOSED`
   */
  read(): Promise<Values>;
  /** Gives memory back that the backend allocated; memory of the caller is left alone. A second call does nothing. */
  free(): void;
}

/** A tensor through which typed arrays of the caller reach a kernel. */
export interface StagingTensor extends Tensor {
  /**
   * Makes these the tensor's values for the runs that follow, up to the next call. A backend that works on the
   * caller's memory borrows the array (nothing is copied, and a kernel that writes to this tensor writes to the array);
   * others copy it before this returns. The length must be the tensor's size: the caller has checked it.
   */
  stage(values: Values): void;
}

/** A u32 for each row: an array, or a tensor in the backend's memory whose layout says `u32`. */
export type RowValues = Uint32Array | Tensor;

/**
 * What happens to the rows that a mask leaves out. `keep`: nothing. `decay`: their slots are updated as by a gradient
 * of 0, and the parameter stays. `zero`: all is updated as by a gradient of 0.
 */
export type UnselectedRows = "keep" | "decay" | "zero";

/**
 * One parameter's part in a step. The objects live as long as the optimizer does and the tensors are the same;
 * `gradient`, `mask` and `others` change between runs.
 */
export interface Update {
  readonly parameter: Tensor;
  /** Packed f16 that the kernel fills from the updated parameter, beside it. */
  readonly mirror: Tensor | undefined;
  gradient: Tensor;
  /** Only the rows whose u32 is not 0 are stepped; undefined: all. */
  mask: RowValues | undefined;
  unselectedRows: UnselectedRows;
  /** In the order of `variant.slots`. */
  readonly slots: readonly Tensor[];
  /** In the order of `variant.scalars`, in f64, set anew before each run. f32 backends round them to f32. */
  readonly scalars: Float64Array;
}

/** A variant, compiled. */
export interface Kernel {
  /** What was compiled, readable: JavaScript, WGSL, a listing; for people. */
  readonly source: string;
  /**
   * Updates the parameters and slots of the first `count` updates in place. Returns at once; runs take effect in the
   * order of the calls. Nothing is allocated after the first run with the same tensors.
   */
  run(updates: readonly Update[], count: number): void;
  /**
   * For a step that is given the tensors of the last one, as most are: how to do the last run of these updates once
   * more, with the scalars that they have when it is called. Undefined where another run came between, or memory of one
   * of the tensors has changed. What it gives must not throw before it has begun: the step counts as taken by then.
   *
   * After a step the caches are full of its elements, and each thing that the next one looks at is far away. A backend
   * for which that matters has this, and looks at little in it.
   */
  repeater?(updates: readonly Update[]): (() => void) | undefined;
  /**
   * Records the same into work of the caller's, which the caller submits: a command encoder, a compute pass. Only a
   * backend that has such a thing has this. Scalars are those at the time of the call.
   *
   * @throws {GradstepError} `UNSUPPORTED` for a target that is none
   */
  encode?(target: object, updates: readonly Update[], count: number): void;
}

/** What `Backend.remap` does with the rows of one tensor. */
export interface RowMove {
  readonly tensor: Tensor;
  /** What a row holds that begins anew. */
  readonly initial: number;
  /** Which rows begin anew beside those without a source: none more, those that `fresh` names, or all. */
  readonly reset: "added" | "flagged" | "all";
}

/** Where rows come from. */
export interface RowSources {
  /** How many rows there will be, at least 1. */
  readonly count: number;
  /** For each of them the row that it was; `newRow` or, in memory that is not looked into, any too large: none. */
  readonly indices: RowValues;
  /** Not 0 for a row that begins anew in the tensors that ask for it. */
  readonly resetRows: RowValues | undefined;
}

/** Among indices: a row that was none before. */
export const newRow = 0xffff_ffff;

/** A place to hold tensors and run kernels. Everything a backend must have; it knows rules only as data. */
export interface Backend {
  /** `cpu-js`, `wasm`, `webgpu`, …: for people and reports. */
  readonly name: string;
  /** In what the values are held. */
  readonly precision: "f32" | "f64";
  /** Whether results are bit-identical to the f32 reference. */
  readonly exact: boolean;
  /**
   * Allocates a tensor of zeros, or of `values`.
   *
   * @param pool 0 for parameters, 1 for gradients, 2 and more for the slots of a rule, in their order. A backend whose
   * kernels bind whole buffers keeps pools apart; others ignore it.
   * @throws {GradstepError} `INVALID_SHAPE`, `LENGTH_MISMATCH`, `OUT_OF_MEMORY`, `DEVICE_LOST`
   */
  tensor(shape: readonly number[], values?: ArrayLike<number>, pool?: number): Tensor;
  /**
   * Makes room for tensors of these sizes (in values) at once, for the calls of `tensor` that follow: they come to lie
   * in one buffer. A hint; where nothing is gained, a backend does not have it.
   */
  reserve?(sizes: readonly number[], pool?: number): void;
  /** A tensor without values until `stage` gives it some. @throws {GradstepError} `INVALID_SHAPE` */
  staging(shape: readonly number[]): StagingTensor;
  /** Compiles a variant, or finds it compiled. */
  compile(variant: Variant): Kernel;
  /**
   * Gives tensors other rows: row `i` is what row `indices[i]` was. All have as many rows before. Their shapes change,
   * and with them their memory where it has no room for so many rows: memory of the backend's own then grows by half
   * at least, that of the caller (`wrap`) cannot. A backend that has this heeds `mask` in the updates of its kernels.
   *
   * @throws {GradstepError} `OUT_OF_MEMORY`, `INVALID_MEMORY`; then nothing has changed
   */
  remap?(moves: readonly RowMove[], sources: RowSources): void;
  /** Fills a packed tensor with the values of a plain one. A backend that has this heeds `copy` in updates. */
  pack?(source: Tensor, target: Tensor): void;
}

/** A backend that can work on memory the caller owns: `M` is an array, a GPUBuffer, … */
export interface WrappingBackend<M> extends Backend {
  /**
   * A tensor over the caller's memory: updates are made there, in place.
   *
   * @param options.shape the tensor's shape; without it, all values from `offset` on, in one dimension.
   * @param options.offset number of values to skip, 0 if left out.
   * @param options.capacity rows for which there is room from there on, those of the shape if left out.
   * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`
   */
  wrap(memory: M, options?: WrapOptions): Tensor;
}

/** Which part of the caller's memory a tensor covers. */
export interface WrapOptions {
  readonly shape?: readonly number[];
  readonly offset?: number;
  readonly capacity?: number;
}
