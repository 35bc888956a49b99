import { persistentStart, controlWords } from "./control-block.js";
import { workgroupSize } from "./kernel-layout.js";

/** The arrays that are bound after the table, in order. */
export const decideArrays = [
  { name: "control", access: "read_write" },
  { name: "non_finite", access: "read" },
  { name: "kept_scalars", access: "read" },
  { name: "scalars", access: "read_write" },
  { name: "grids", access: "read_write" },
  { name: "scales", access: "read" },
  { name: "call", access: "read", hasDynamicOffset: true },
] as const;

/** The words that the host writes for a step. */
export const callWords = {
  /** The scale, an f32, if it is not on the device. */
  scale: 0,
  /** What is added to the number of a step to get that of its row of kept scalars. */
  offset: 1,
  epoch: 2,
  /** The kind of steps that the work is for. */
  kind: 3,
  /** The first step that the work has scalars for. */
  first: 4,
} as const;

/** The first words of a row of kept scalars: the step, the replacement, and the kind of the step. */
export const keptHeaderLength = 3;

/** Stands for any kind of step. */
export const anyKind = 0xffff_ffff;

/** The source of a scalar in the table: a word of the control block instead of one of the kept scalars. */
export const fromControl = 0x8000_0000;

/** The source of the scale of the step if the device has it. */
export const fromScale = 0x4000_0000;

/** The source of the scale of the step if the host has written it. */
export const fromCall = 0x2000_0000;

/** Words of the table before the pairs of target and source, and then the grids of three words. */
export const decideHeader = [
  "pairs",
  "dispatches",
  "rows",
  "row_length",
  "scale_index",
  "persistent_words",
  "stops_at_non_finite",
] as const;

const length = decideHeader.length;

/**
 * A WGSL module that prepares the dispatches of a step: it copies the scalars of the device's next step, and writes the
 * workgroups of each dispatch, or zeros if the step is not taken; those for skipped steps have workgroups if it is skipped.
 */
export const decideKernel: string = `// Decides whether a step is taken: the workgroups of each dispatch, or none; and the scalars of the step.
@group(0) @binding(0) var<storage, read> table: array<u32>;
@group(0) @binding(1) var<storage, read_write> control: array<u32>;
@group(0) @binding(2) var<storage, read> non_finite: array<u32>;
@group(0) @binding(3) var<storage, read> kept_scalars: array<u32>;
@group(0) @binding(4) var<storage, read_write> scalars: array<u32>;
@group(0) @binding(5) var<storage, read_write> grids: array<u32>;
@group(0) @binding(6) var<storage, read> scales: array<u32>;
@group(0) @binding(7) var<storage, read> call: array<u32>;

@compute @workgroup_size(${workgroupSize})
fn update(@builtin(local_invocation_index) invocation: u32) {
${decideHeader.map((name, i) => `  let ${name} = table[${i}];`).join("\n")}
  let step = control[${controlWords.steps}] + 1u;
  let row = ((step + call[${callWords.offset}]) % rows) * row_length;
  // Those of another step may have overwritten them.
  let has_scalars = kept_scalars[row] == step && kept_scalars[row + 1u] == call[${callWords.epoch}] && step >= call[${callWords.first}];
  let has_stopped = control[${controlWords.stops}] != control[${controlWords.resumedStops}];
  let is_finite = non_finite[0] == 0u;
  let is_taken = is_finite && has_scalars && !has_stopped;
  let is_skipped = !is_finite && !has_stopped && stops_at_non_finite == 0u;
  let is_for_step = call[${callWords.kind}] == ${anyKind}u || call[${callWords.kind}] == kept_scalars[row + 2u];
  if (invocation == 0u) {
    if (!has_scalars) { control[${controlWords.lacksScalars}] = 1u; }
    if (is_taken && is_for_step) {
      for (var i = 0u; i < persistent_words; i += 1u) {
        control[${persistentStart}u + i] = kept_scalars[row + ${keptHeaderLength}u + i];
      }
    }
  }
  for (var i = invocation; i < pairs; i += ${workgroupSize}u) {
    let target_place = table[${length}u + 2u * i];
    let source = table[${length}u + 2u * i + 1u];
    if ((source & ${fromControl}u) != 0u) {
      scalars[target_place] = control[source & ${fromControl - 1}u];
    } else if ((source & ${fromScale}u) != 0u) {
      scalars[target_place] = scales[scale_index];
    } else if ((source & ${fromCall}u) != 0u) {
      scalars[target_place] = call[${callWords.scale}];
    } else {
      scalars[target_place] = kept_scalars[row + source];
    }
  }
  let first_grid = ${length}u + 2u * pairs;
  for (var d = invocation; d < dispatches; d += ${workgroupSize}u) {
    let grid = first_grid + 3u * d;
    let is_executed = is_for_step && select(is_taken, is_skipped, table[grid + 2u] != 0u);
    grids[3u * d] = select(0u, table[grid], is_executed);
    grids[3u * d + 1u] = table[grid + 1u];
    grids[3u * d + 2u] = 1u;
  }
}
`;
