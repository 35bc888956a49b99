import { checkLength, GradstepError } from "@gradstep/core";
import { dispatchesOf, type Span, type Stretch } from "./dispatch-builder.js";
import { entryHead, tableBinding, type BoundArray } from "../shaders/kernel-layout.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import type { BindingLimits } from "./dense-dispatches.js";
import { copyPlace } from "./row-item.js";
import { entryPoint, packedHalf, turn } from "../shaders/wgsl-emitter.js";

const packNumbers = ["source_at", "line_length", "line_at", "line_step"] as const;

/** What is bound after the table, in order. */
export const packArrays: readonly BoundArray[] = [
  { name: "source", access: "read" },
  { name: "copy", access: "read_write" },
];

/** A WGSL module with one entry point, `update`: each invocation packs the values of one word, as a step does. */
export const packText: string = [
  "// Packs values as f16, two in a word; what else is in the last word of a row stays.",
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  `@group(0) @binding(${tableBinding + 1}) var<storage, read> all_source: array<f32>;`,
  `@group(0) @binding(${tableBinding + 2}) var<storage, read_write> all_copy: array<u32>;`,
  "",
  ...entryPoint,
  ...packNumbers.map((name, k) => `  let ${name} = table[entry + ${entryHead + k}u];`),
  ...turn,
  "    let pairs = (line_length + 1u) / 2u;",
  "    let line = i / pairs;",
  "    let first = i % pairs * 2u;",
  "    let at_word = line_at + line * line_step + first / 2u;",
  "    let at = source_at + line * line_length + first;",
  `    var word = ${packedHalf("all_source[at]")};`,
  "    if (first + 1u < line_length) {",
  `      word |= ${packedHalf("all_source[at + 1u]")} << 16u;`,
  "    } else {",
  "      word |= all_copy[at_word] & 0xffff0000u;",
  "    }",
  "    all_copy[at_word] = word;",
  "  }",
  "}",
  "",
].join("\n");

/**
 * The dispatches that fill a copy.
 * @throws {GradstepError} `LENGTH_MISMATCH`, `UNSUPPORTED`, `INVALID_MEMORY`
 */
export function planPack(
  source: GpuTensor,
  target: GpuTensor,
  limits: BindingLimits,
): ReturnType<typeof dispatchesOf> {
  checkLength("The copy", target.size, source.size);
  if (source.layout !== undefined) {
    throw new GradstepError(
      `Got a tensor of ${source.layout.dtype} with a row stride of ${source.rowStride} to pack; expected f32 whose rows follow each other.`,
      { code: "UNSUPPORTED" },
    );
  }
  if (source.memory.buffer === target.memory.buffer) {
    throw new GradstepError(
      "An f16 copy is in the GPUBuffer of its parameter; expected it in another, since WebGPU binds a buffer that is written to only once. Give the copy a buffer of its own.",
      { code: "INVALID_MEMORY" },
    );
  }
  return dispatchesOf(stretchesOf(source, target, limits), limits);
}

function* stretchesOf(
  { memory }: GpuTensor,
  target: GpuTensor,
  { bindingSize, alignment }: BindingLimits,
): Generator<Stretch> {
  // The copy's rows: those of the source follow each other, and may be of another length.
  const { rows, columns } = target;
  const { buffer, at, step, isFlat } = copyPlace(target);
  const room = bindingSize - alignment - 4;
  // A row of a copy may end within a word, so that the next piece has to begin two rows on.
  const unit = isFlat && columns % 2 === 1 ? 2 : 1;
  const longest = Math.max(columns, isFlat ? 0 : step) * 4;
  const most = Math.max(unit, Math.floor(room / longest / unit) * unit);
  for (let from = 0; from < rows; from += most) {
    const count = Math.min(most, rows - from);
    const lineLength = isFlat ? count * columns : columns;
    const lines = isFlat ? 1 : count;
    const pairs = Math.ceil(lineLength / 2);
    const low = memory.byteOffset + from * columns * 4;
    const source: Span = { buffer: memory.buffer, low, high: low + count * columns * 4 };
    const begin = (at + (isFlat ? (from * columns) / 2 : from * step)) * 4;
    const copy: Span = { buffer, low: begin, high: begin + ((lines - 1) * step + pairs) * 4 };
    yield {
      spans: [source, copy],
      count: lines * pairs,
      scalars: undefined,
      numbers: ([sourceLow, copyLow]) => [
        (low - sourceLow) / 4,
        lineLength,
        (begin - copyLow) / 4,
        step,
      ],
    };
  }
}
