import type { RowMove } from "@gradstep/core";
import { granularity } from "../memory/buffer-pools.js";
import { dispatchesOf, type Bound, type Span, type Stretch } from "./dispatch-builder.js";
import { resetCode, gatherNumbers, type GatherNumbers } from "../shaders/gather-kernel.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import type { BindingLimits } from "./dense-dispatches.js";
import type { RowPlace } from "./row-dispatches.js";

/** Tensors are gathered together as long as they need no more bytes than this. */
const usualScratch = 2 ** 26;

/** A tensor whose rows move, and where its new rows are put. */
export interface Gathered extends Omit<RowMove, "tensor"> {
  readonly tensor: GpuTensor;
  readonly target: { readonly buffer: GPUBuffer; readonly offset: number };
  /** Of its new memory, with what pads it. */
  readonly byteLength: number;
}

/** Where rows come from, on the device. */
export interface Sources {
  readonly count: number;
  readonly indices: RowPlace;
  /** Anything, where no tensor asks for it. */
  readonly fresh: RowPlace;
}

/** Tensors that are gathered into scratch memory together, and then copied to where they belong. */
export interface Batch {
  readonly dispatches: readonly Bound[];
  readonly copies: readonly { readonly gathered: Gathered; readonly scratchOffset: number }[];
}

/** How many bytes of scratch memory are needed: for all tensors, or for the largest if those are too many. */
export function scratchLength(gathered: readonly Gathered[]): number {
  const lengths = gathered.map(({ byteLength }) => padded(byteLength));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return total <= usualScratch ? total : Math.max(...lengths);
}

/**
 * As few batches and dispatches as there can be: tensors whose sources are in one buffer are one dispatch, as long as
 * what they use fits into bindings.
 *
 * @throws {GradstepError} `UNSUPPORTED` where a single row does not fit into a binding
 */
export function planRemap(
  gathered: readonly Gathered[],
  sources: Sources,
  scratch: GPUBuffer,
  limits: BindingLimits,
): Batch[] {
  const buffers = [...new Set(gathered.map(({ tensor }) => tensor.memory.buffer))];
  const position = ({ tensor }: Gathered): number => buffers.indexOf(tensor.memory.buffer);
  const sorted = [...gathered].sort(
    (a, b) => position(a) - position(b) || a.tensor.memory.byteOffset - b.tensor.memory.byteOffset,
  );
  const batches: Batch["copies"][number][][] = [];
  let used = Infinity;
  for (const one of sorted) {
    const length = padded(one.byteLength);
    if (used + length > scratch.size) {
      batches.push([]);
      used = 0;
    }
    batches.at(-1)!.push({ gathered: one, scratchOffset: used });
    used += length;
  }
  return batches.map((copies) => {
    const stretches = copies.flatMap(({ gathered: one, scratchOffset }) => [
      ...stretchesOf(one, { buffer: scratch, offset: scratchOffset }, sources, limits),
    ]);
    return { dispatches: dispatchesOf(stretches, limits), copies };
  });
}

/** Allocations begin where bindings can. */
function padded(byteLength: number): number {
  return Math.ceil(byteLength / granularity) * granularity;
}

/** One stretch for each piece of the new rows, and for each window of the old ones. */
function* stretchesOf(
  { tensor, initial, reset, byteLength }: Gathered,
  target: { readonly buffer: GPUBuffer; readonly offset: number },
  { count, indices, fresh }: Sources,
  { bindingSize, alignment }: BindingLimits,
): Generator<Stretch> {
  const { columns, memory, rows } = tensor;
  const room = bindingSize - alignment - 4;
  const longest = Math.max(columns, indices.step, fresh.step) * 4;
  const most = Math.max(1, Math.floor((room - granularity) / longest));
  const window = Math.floor(room / 4);
  const windows = reset === "all" ? 1 : Math.ceil(tensor.size / window);
  for (let from = 0; from < count; from += most) {
    const piece = Math.min(most, count - from);
    const values = piece * columns;
    // The last piece is followed by what pads the tensor.
    const elements = from + piece === count ? byteLength / 4 - from * columns : values;
    const into = target.offset + from * columns * 4;
    const words = ({ buffer, at, step }: RowPlace): Span => {
      const low = (at + from * step) * 4;
      return { buffer, low, high: low + ((piece - 1) * step + 1) * 4 };
    };
    for (let k = 0; k < windows; k += 1) {
      const low = k * window;
      const high = Math.min(tensor.size, low + window);
      const begin = memory.byteOffset + low * 4;
      yield {
        spans: [
          words(indices),
          words(fresh),
          { buffer: memory.buffer, low: begin, high: memory.byteOffset + high * 4 },
          { buffer: target.buffer, low: into, high: into + elements * 4 },
        ],
        count: elements,
        scalars: undefined,
        numbers: ([indicesLow, freshLow, sourceLow, targetLow]) => {
          const numbers: GatherNumbers = {
            columns,
            values,
            target_at: (into - targetLow) / 4,
            index_at: indices.at + from * indices.step - indicesLow / 4,
            index_step: indices.step,
            fresh_at: fresh.at + from * fresh.step - freshLow / 4,
            fresh_step: fresh.step,
            rows_before: rows,
            initial: bitsOf(initial),
            anew: resetCode[reset],
            window_low: low,
            window_high: high,
            source_at: (begin - sourceLow) / 4,
          };
          return gatherNumbers.map((name) => numbers[name]);
        },
      };
    }
  }
}

function bitsOf(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0];
}
