import { controlWords } from "../guard/control-block.js";
import { workgroupSize } from "./kernel-layout.js";

/** The arrays that are bound after the table, in order. */
export const decideArrays = [
  { name: "control", access: "read" },
  { name: "non_finite", access: "read" },
  { name: "kept_scalars", access: "read" },
  { name: "scalars", access: "read_write" },
  { name: "grids", access: "read_write" },
  { name: "scales", access: "read", hasDynamicOffset: true },
] as const;

/** The source of a scalar in the table: a word of the control block instead of one of the kept scalars. */
export const fromControl = 0x8000_0000;

/** The source of the scale of the step. */
export const fromScale = 0x4000_0000;

/** Words of the table before the pairs of target and source, and then the grids of three words. */
export const decideHeaderLength = 5;

/**
 * A WGSL module that prepares the dispatches of a step: it copies the scalars of the device's next step, and writes the
 * workgroups of each dispatch, or zeros if the step is skipped; the other way round for those of skipped steps.
 */
export const decideKernel: string = `// Decides whether a step is taken: the workgroups of each dispatch, or none; and the scalars of the step.
@group(0) @binding(0) var<storage, read> table: array<u32>;
@group(0) @binding(1) var<storage, read> control: array<u32>;
@group(0) @binding(2) var<storage, read> non_finite: array<u32>;
@group(0) @binding(3) var<storage, read> kept_scalars: array<u32>;
@group(0) @binding(4) var<storage, read_write> scalars: array<u32>;
@group(0) @binding(5) var<storage, read_write> grids: array<u32>;
@group(0) @binding(6) var<storage, read> scales: array<u32>;

@compute @workgroup_size(${workgroupSize})
fn update(@builtin(local_invocation_index) invocation: u32) {
  let pairs = table[0];
  let dispatches = table[1];
  let row = ((control[${controlWords.steps}] + 1u) % table[2]) * table[3];
  for (var i = invocation; i < pairs; i += ${workgroupSize}u) {
    let source = table[${decideHeaderLength}u + 2u * i + 1u];
    if ((source & ${fromControl}u) != 0u) {
      scalars[table[${decideHeaderLength}u + 2u * i]] = control[source & ${fromControl - 1}u];
    } else if ((source & ${fromScale}u) != 0u) {
      scalars[table[${decideHeaderLength}u + 2u * i]] = scales[table[4]];
    } else {
      scalars[table[${decideHeaderLength}u + 2u * i]] = kept_scalars[row + source];
    }
  }
  let first_grid = ${decideHeaderLength}u + 2u * pairs;
  for (var d = invocation; d < dispatches; d += ${workgroupSize}u) {
    let grid = first_grid + 3u * d;
    let is_executed = (non_finite[0] != 0u) == (table[grid + 2u] != 0u);
    grids[3u * d] = select(0u, table[grid], is_executed);
    grids[3u * d + 1u] = table[grid + 1u];
    grids[3u * d + 2u] = 1u;
  }
}
`;
