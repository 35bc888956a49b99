import type { GaussianRows } from "../gaussian-rows.js";
import { Kernel, rowWorkgroups, rowsPerWorkgroup, type BoundKernel } from "../gpu/kernel.js";

const code = (maxOpacity: number): string => `
@group(0) @binding(0) var<uniform> count: u32;
@group(0) @binding(1) var<storage, read_write> parameters: array<array<f32, 16>>;

@compute @workgroup_size(${rowsPerWorkgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= count) { return; }
  parameters[id.x][3] = min(parameters[id.x][3], ${Math.log(maxOpacity / (1 - maxOpacity))}f);
}
`;

/** Makes all Gaussians transparent, so that those that are not needed stay so and are pruned. */
export class OpacityCap {
  readonly #rows: GaussianRows;
  readonly #kernel: BoundKernel;

  constructor(rows: GaussianRows, maxOpacity: number) {
    const { device, countUniform, parameters } = rows;
    this.#rows = rows;
    this.#kernel = new Kernel(device, "cap opacity", code(maxOpacity)).bind(
      countUniform,
      parameters,
    );
  }

  record(encoder: GPUCommandEncoder): void {
    const pass = encoder.beginComputePass();
    this.#kernel.dispatch(pass, rowWorkgroups(this.#rows.count));
    pass.end();
  }
}
