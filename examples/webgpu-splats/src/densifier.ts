import { bufferUsage, computeStage, readBytes, storage } from "./buffers.js";

const blockLength = 256;

/** The destination of each row is an exclusive prefix sum over the numbers of successors. */
const text = `
@group(0) @binding(0) var<uniform> rows: u32;
@group(0) @binding(1) var<storage, read> successors: array<u32>;
@group(0) @binding(2) var<storage, read_write> offsets: array<u32>;
@group(0) @binding(3) var<storage, read_write> blocks: array<u32>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;
@group(0) @binding(5) var<storage, read_write> reset: array<u32>;

var<workgroup> sums: array<u32, ${blockLength}>;

@compute @workgroup_size(${blockLength})
fn sum_rows(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(workgroup_id) block: vec3u,
) {
  let row = id.x;
  let own = select(0u, successors[row], row < rows);
  sums[thread] = own;
  for (var distance = 1u; distance < ${blockLength}u; distance *= 2u) {
    workgroupBarrier();
    let before = select(0u, sums[thread - min(thread, distance)], thread >= distance);
    workgroupBarrier();
    sums[thread] += before;
  }
  offsets[row] = sums[thread] - own;
  if (thread == ${blockLength - 1}u) { blocks[block.x] = sums[thread]; }
}

// There are few blocks, so one invocation adds them up. It stores the total after the last block.
@compute @workgroup_size(1)
fn sum_blocks() {
  let count = (rows + ${blockLength - 1}u) / ${blockLength}u;
  var total = 0u;
  for (var block = 0u; block < count; block++) {
    let own = blocks[block];
    blocks[block] = total;
    total += own;
  }
  blocks[count] = total;
}

@compute @workgroup_size(${blockLength})
fn place_rows(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= rows) { return; }
  let first = offsets[row] + blocks[row / ${blockLength}u];
  for (var k = 0u; k < successors[row]; k++) {
    indices[first + k] = row;
    reset[first + k] = u32(successors[row] > 1u);
  }
}
`;

/** For the rows of a densified scene, the rows they come from, in buffers on the device. */
export interface DensifiedRows {
  /** The new number of rows. */
  readonly count: number;
  /** The previous index of each row. */
  readonly indices: GPUBuffer;
  /** Nonzero for a row that is one half of a split row: its moments are reset. */
  readonly reset: GPUBuffer;
}

/** Computes the rows of a densified scene on the device. */
export class Densifier {
  readonly #device: GPUDevice;
  readonly #rows: GPUBuffer;
  readonly #blocks: GPUBuffer;
  readonly #indices: GPUBuffer;
  readonly #reset: GPUBuffer;
  readonly #bindGroup: GPUBindGroup;
  readonly #pipelines: readonly GPUComputePipeline[];

  /** @param capacity The largest number of rows, before and after. */
  constructor(device: GPUDevice, successors: GPUBuffer, capacity: number) {
    const blocks = Math.ceil(capacity / blockLength);
    this.#device = device;
    this.#rows = device.createBuffer({
      size: 4,
      usage: bufferUsage.UNIFORM | bufferUsage.COPY_DST,
    });
    this.#blocks = storage(device, "blocks", (blocks + 1) * 4);
    this.#indices = storage(device, "indices", capacity * 4);
    this.#reset = storage(device, "reset", capacity * 4);
    const offsets = storage(device, "offsets", blocks * blockLength * 4);
    const types = [
      "uniform",
      "read-only-storage",
      "storage",
      "storage",
      "storage",
      "storage",
    ] as const;
    const layout = device.createBindGroupLayout({
      entries: types.map((type, binding) => ({
        binding,
        visibility: computeStage,
        buffer: { type },
      })),
    });
    const buffers = [this.#rows, successors, offsets, this.#blocks, this.#indices, this.#reset];
    this.#bindGroup = device.createBindGroup({
      layout,
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const module = device.createShaderModule({ label: "densify", code: text });
    this.#pipelines = ["sum_rows", "sum_blocks", "place_rows"].map((entryPoint) =>
      device.createComputePipeline({
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint },
      }),
    );
  }

  /** Reads back only the new number of rows: four bytes. */
  async densify(rows: number): Promise<DensifiedRows> {
    const blocks = Math.ceil(rows / blockLength);
    this.#device.queue.writeBuffer(this.#rows, 0, new Uint32Array([rows]));
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setBindGroup(0, this.#bindGroup);
    this.#pipelines.forEach((pipeline, i) => {
      pass.setPipeline(pipeline);
      pass.dispatchWorkgroups(i === 1 ? 1 : blocks);
    });
    pass.end();
    this.#device.queue.submit([encoder.finish()]);
    const [count] = new Uint32Array(await readBytes(this.#device, this.#blocks, 4, blocks * 4));
    return { count, indices: this.#indices, reset: this.#reset };
  }
}
