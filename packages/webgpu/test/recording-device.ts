/** A buffer of a recording device. */
interface RecordedBuffer {
  label: string;
  readonly size: number;
  readonly usage: number;
  readonly bytes: Uint8Array;
  isDestroyed: boolean;
  mapAsync(): void;
  destroy(): void;
}

/** Scalars that a recorded dispatch binds, with the bytes that they had when it was recorded. */
interface BoundScalars {
  readonly buffer: RecordedBuffer;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface CommandBuffer {
  readonly buffers: Set<RecordedBuffer>;
  readonly scalars: BoundScalars[];
}

interface BindGroup {
  readonly buffers: readonly RecordedBuffer[];
  /** Binding 1, without its dynamic offset. */
  readonly scalars: { readonly buffer: RecordedBuffer; readonly size: number } | undefined;
}

/** What a recording device has counted. */
export interface DeviceCounts {
  buffersMade: number;
  buffersDestroyed: number;
  bytes: number;
  bindGroupsMade: number;
  writes: number;
  submits: number;
}

/**
 * A device that executes nothing, for tests of what is made and destroyed. It throws at submit if a buffer was destroyed
 * or if scalars of a recorded dispatch were overwritten.
 */
export function recordingDevice(): { readonly device: GPUDevice; readonly counts: DeviceCounts } {
  const counts: DeviceCounts = {
    buffersMade: 0,
    buffersDestroyed: 0,
    bytes: 0,
    bindGroupsMade: 0,
    writes: 0,
    submits: 0,
  };
  const createBuffer = (descriptor: GPUBufferDescriptor): RecordedBuffer => {
    const { label = "", size, usage } = descriptor;
    counts.buffersMade += 1;
    counts.bytes += size;
    const isUniform = (usage & 0x40) !== 0;
    return {
      label,
      size,
      usage,
      bytes: new Uint8Array(isUniform ? size : 0),
      isDestroyed: false,
      mapAsync: () => {},
      destroy(): void {
        if (this.isDestroyed) return;
        this.isDestroyed = true;
        counts.buffersDestroyed += 1;
        counts.bytes -= size;
      },
    };
  };
  const createCommandEncoder = (): object => {
    const commands: CommandBuffer = { buffers: new Set(), scalars: [] };
    return {
      beginComputePass: () => recordingPass(commands),
      clearBuffer: (buffer: RecordedBuffer) => commands.buffers.add(buffer),
      finish: () => commands,
    };
  };
  const queue = {
    writeBuffer(
      buffer: RecordedBuffer,
      offset: number,
      data: Uint32Array | Float32Array,
      dataOffset = 0,
      size = data.length,
    ): void {
      counts.writes += 1;
      if (buffer.isDestroyed)
        throw new Error(`"${buffer.label}" was written after it was destroyed`);
      const { byteOffset, byteLength } = data.subarray(dataOffset, dataOffset + size);
      if (offset + byteLength > buffer.size) throw new Error(`"${buffer.label}" is too small`);
      if (buffer.bytes.length > 0)
        buffer.bytes.set(new Uint8Array(data.buffer, byteOffset, byteLength), offset);
    },
    submit(commandBuffers: readonly CommandBuffer[]): void {
      counts.submits += 1;
      for (const { buffers, scalars } of commandBuffers) {
        for (const { isDestroyed, label } of buffers)
          if (isDestroyed)
            throw new Error(`"${label}" was used in a submit after it was destroyed`);
        for (const { buffer, offset, bytes } of scalars) {
          const now = buffer.bytes.subarray(offset, offset + bytes.length);
          if (Buffer.compare(now, bytes) !== 0) throw new Error("scalars were overwritten");
        }
      }
    },
  };
  const device = {
    label: "recording",
    limits: {
      maxBufferSize: 2 ** 28,
      maxStorageBufferBindingSize: 2 ** 27,
      maxStorageBuffersPerShaderStage: 8,
      maxComputeWorkgroupsPerDimension: 65_535,
      minStorageBufferOffsetAlignment: 256,
      minUniformBufferOffsetAlignment: 256,
    },
    lost: new Promise(() => {}),
    queue,
    createBuffer,
    createCommandEncoder,
    createBindGroup({ entries }: { entries: readonly GPUBindGroupEntry[] }): BindGroup {
      counts.bindGroupsMade += 1;
      const resources = entries.map(({ binding, resource }) => {
        const { buffer, size } = resource as unknown as { buffer: RecordedBuffer; size: number };
        return { binding, buffer, size };
      });
      return {
        buffers: resources.map(({ buffer }) => buffer),
        scalars: resources.find(({ binding }) => binding === 1),
      };
    },
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createShaderModule: () => ({}),
    createComputePipeline: () => ({}),
    pushErrorScope: () => {},
    popErrorScope: () => Promise.resolve(null),
  };
  return { device: device as unknown as GPUDevice, counts };
}

function recordingPass(commands: CommandBuffer): object {
  return {
    setPipeline: () => {},
    setBindGroup(
      _: number,
      { buffers, scalars }: BindGroup,
      offsets: Uint32Array = new Uint32Array(),
    ) {
      for (const one of buffers) commands.buffers.add(one);
      if (scalars === undefined || offsets.length === 0) return;
      const { buffer, size } = scalars;
      const [offset] = offsets;
      if (offset + size > buffer.size) throw new Error("the scalars reach beyond their buffer");
      // Only 256 bytes: blocks of several groups may overlap what shaders declare.
      commands.scalars.push({ buffer, offset, bytes: buffer.bytes.slice(offset, offset + 256) });
    },
    dispatchWorkgroups: () => {},
    end: () => {},
  };
}
