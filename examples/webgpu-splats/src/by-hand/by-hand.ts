import { attributes, beta1, beta2, copyStride, type Attribute } from "../attributes.js";
import { bufferUsage, computeStage, readBytes, storage } from "../buffers.js";
import type { Densified } from "../densify.js";
import type { Scene } from "../scene.js";
import type { Trainer } from "../trainer.js";
import { adamText, moveText, workgroupSize } from "./shaders.js";

const settingsLength = 32;

/** Buffers of one attribute. Rows move from one set into the other, which take turns. */
interface Buffers {
  readonly parameters: GPUBuffer;
  readonly m: GPUBuffer;
  readonly v: GPUBuffer;
}

const kinds = ["parameters", "m", "v"] as const;

/** An attribute and all that its dispatches need. */
interface Part {
  readonly attribute: Attribute;
  readonly settings: GPUBuffer;
  readonly moves: Record<(typeof kinds)[number], GPUBuffer>;
  readonly update: GPUComputePipeline;
  readonly pack: GPUComputePipeline;
  current: Buffers;
  spare: Buffers;
  bindGroup: GPUBindGroup;
  steps: number;
}

/** The optimizer of the scene in WGSL and WebGPU's own calls. */
export class ByHand implements Trainer {
  readonly #device: GPUDevice;
  readonly #scene: Scene;
  readonly #adamLayout: GPUBindGroupLayout;
  readonly #moveLayout: GPUBindGroupLayout;
  readonly #move: GPUComputePipeline;
  readonly #parts: readonly Part[];
  #rows: number;
  #steps = 0;

  constructor(scene: Scene, initial: Record<string, Float32Array<ArrayBuffer>>, rows: number) {
    const { device } = scene;
    this.#device = device;
    this.#scene = scene;
    this.#rows = rows;
    this.#adamLayout = this.#layout(["read", "read", "write", "write", "write", "write"]);
    this.#moveLayout = this.#layout(["read", "read", "read", "write"]);
    this.#move = this.#pipeline(moveText, "move_rows", this.#moveLayout);
    this.#parts = attributes.map((attribute): Part => {
      const { name, gradientAt } = attribute;
      const text = adamText(gradientAt === undefined ? "plain" : "structs");
      const current = this.#buffers(attribute);
      device.queue.writeBuffer(current.parameters, 0, initial[name]);
      const settings = this.#uniform();
      return {
        attribute,
        settings,
        moves: { parameters: this.#uniform(), m: this.#uniform(), v: this.#uniform() },
        update: this.#pipeline(text, "update", this.#adamLayout),
        pack: this.#pipeline(text, "pack_all", this.#adamLayout),
        current,
        spare: this.#buffers(attribute),
        bindGroup: this.#bind(attribute, settings, current),
        steps: 0,
      };
    });
    const encoder = device.createCommandEncoder();
    this.#pack(encoder);
    device.queue.submit([encoder.finish()]);
  }

  step(encoder: GPUCommandEncoder): void {
    this.#steps += 1;
    const pass = encoder.beginComputePass();
    for (const part of this.#parts) {
      if (this.#steps % part.attribute.every !== 0) continue;
      part.steps += 1;
      this.#writeSettings(part);
      pass.setPipeline(part.update);
      pass.setBindGroup(0, part.bindGroup);
      pass.dispatchWorkgroups(Math.ceil(this.#rows / workgroupSize));
    }
    pass.end();
  }

  remap({ count, indices, fresh }: Densified): void {
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(this.#move);
    for (const { attribute, moves, current, spare } of this.#parts) {
      for (const kind of kinds) {
        const beginsAnew = kind === "parameters" ? 0 : 1;
        const words = new Uint32Array([count, attribute.columns, beginsAnew]);
        this.#device.queue.writeBuffer(moves[kind], 0, words);
        const buffers = [moves[kind], indices, fresh, current[kind], spare[kind]];
        pass.setBindGroup(0, this.#bindGroup(this.#moveLayout, buffers));
        pass.dispatchWorkgroups(Math.ceil(count / workgroupSize));
      }
    }
    pass.end();
    this.#rows = count;
    for (const part of this.#parts) {
      const { attribute, settings, current, spare } = part;
      part.current = spare;
      part.spare = current;
      part.bindGroup = this.#bind(attribute, settings, spare);
    }
    this.#pack(encoder);
    this.#device.queue.submit([encoder.finish()]);
  }

  async read(name: string): Promise<Float32Array> {
    const { current, attribute } = this.#parts.find((part) => part.attribute.name === name)!;
    const byteLength = this.#rows * attribute.columns * 4;
    return new Float32Array(await readBytes(this.#device, current.parameters, byteLength));
  }

  #pack(encoder: GPUCommandEncoder): void {
    const pass = encoder.beginComputePass();
    for (const part of this.#parts) {
      this.#writeSettings(part);
      pass.setPipeline(part.pack);
      pass.setBindGroup(0, part.bindGroup);
      pass.dispatchWorkgroups(Math.ceil(this.#rows / workgroupSize));
    }
    pass.end();
  }

  #writeSettings({ attribute, settings, steps }: Part): void {
    const { columns, gradientAt = 0, copyAt, learningRate } = attribute;
    const bytes = new ArrayBuffer(settingsLength);
    new Uint32Array(bytes).set([this.#rows, columns, gradientAt, copyAt, copyStride]);
    new Float32Array(bytes).set([learningRate, 1 - beta1 ** steps, 1 - beta2 ** steps], 5);
    this.#device.queue.writeBuffer(settings, 0, bytes);
  }

  #buffers({ name, columns }: Attribute): Buffers {
    const byteLength = this.#scene.capacity * columns * 4;
    return {
      parameters: storage(this.#device, name, byteLength),
      m: storage(this.#device, `${name}, m`, byteLength),
      v: storage(this.#device, `${name}, v`, byteLength),
    };
  }

  #uniform(): GPUBuffer {
    const usage = bufferUsage.UNIFORM | bufferUsage.COPY_DST;
    return this.#device.createBuffer({ size: settingsLength, usage });
  }

  #bind({ gradientAt }: Attribute, settings: GPUBuffer, buffers: Buffers): GPUBindGroup {
    const { tiles, gradients, harmonicGradients, copies } = this.#scene;
    return this.#bindGroup(this.#adamLayout, [
      settings,
      tiles,
      gradientAt === undefined ? harmonicGradients : gradients,
      buffers.parameters,
      buffers.m,
      buffers.v,
      copies,
    ]);
  }

  #bindGroup(layout: GPUBindGroupLayout, buffers: readonly GPUBuffer[]): GPUBindGroup {
    return this.#device.createBindGroup({
      layout,
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }

  /** A uniform buffer, and then these. */
  #layout(accesses: readonly ("read" | "write")[]): GPUBindGroupLayout {
    const types = accesses.map((access) =>
      access === "read" ? ("read-only-storage" as const) : ("storage" as const),
    );
    return this.#device.createBindGroupLayout({
      entries: (["uniform", ...types] as const).map((type, binding) => ({
        binding,
        visibility: computeStage,
        buffer: { type },
      })),
    });
  }

  #pipeline(code: string, entryPoint: string, layout: GPUBindGroupLayout): GPUComputePipeline {
    return this.#device.createComputePipeline({
      layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module: this.#device.createShaderModule({ code }), entryPoint },
    });
  }
}
