import { attributes, beta1, beta2, mirrorStride, type Attribute } from "../attributes.js";
import { bufferUsage, computeStage, readBytes, storage } from "../buffers.js";
import type { DensifiedRows } from "../densifier.js";
import type { Scene } from "../scene.js";
import type { Trainer } from "../trainer.js";
import { adamText, moveText, workgroupSize } from "./shaders.js";

const settingsLength = 32;

/** Buffers of one attribute. There are two sets; a remap copies the rows from one to the other. */
interface Buffers {
  readonly parameters: GPUBuffer;
  readonly m: GPUBuffer;
  readonly v: GPUBuffer;
}

const kinds = ["parameters", "m", "v"] as const;

/** An attribute and everything that its dispatches need. */
interface AttributeState {
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
  readonly #states: readonly AttributeState[];
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
    this.#states = attributes.map((attribute): AttributeState => {
      const { name, gradientOffset } = attribute;
      const text = adamText(gradientOffset === undefined ? "plain" : "structs");
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
    for (const state of this.#states) {
      if (this.#steps % state.attribute.every !== 0) continue;
      state.steps += 1;
      this.#writeSettings(state);
      pass.setPipeline(state.update);
      pass.setBindGroup(0, state.bindGroup);
      pass.dispatchWorkgroups(Math.ceil(this.#rows / workgroupSize));
    }
    pass.end();
  }

  remap({ count, indices, reset }: DensifiedRows): void {
    const encoder = this.#device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(this.#move);
    for (const { attribute, moves, current, spare } of this.#states) {
      for (const kind of kinds) {
        const resets = kind === "parameters" ? 0 : 1;
        const words = new Uint32Array([count, attribute.columns, resets]);
        this.#device.queue.writeBuffer(moves[kind], 0, words);
        const buffers = [moves[kind], indices, reset, current[kind], spare[kind]];
        pass.setBindGroup(0, this.#bindGroup(this.#moveLayout, buffers));
        pass.dispatchWorkgroups(Math.ceil(count / workgroupSize));
      }
    }
    pass.end();
    this.#rows = count;
    for (const state of this.#states) {
      const { attribute, settings, current, spare } = state;
      state.current = spare;
      state.spare = current;
      state.bindGroup = this.#bind(attribute, settings, spare);
    }
    this.#pack(encoder);
    this.#device.queue.submit([encoder.finish()]);
  }

  async read(name: string): Promise<Float32Array> {
    const { current, attribute } = this.#states.find((state) => state.attribute.name === name)!;
    const byteLength = this.#rows * attribute.columns * 4;
    return new Float32Array(await readBytes(this.#device, current.parameters, byteLength));
  }

  #pack(encoder: GPUCommandEncoder): void {
    const pass = encoder.beginComputePass();
    for (const state of this.#states) {
      this.#writeSettings(state);
      pass.setPipeline(state.pack);
      pass.setBindGroup(0, state.bindGroup);
      pass.dispatchWorkgroups(Math.ceil(this.#rows / workgroupSize));
    }
    pass.end();
  }

  #writeSettings({ attribute, settings, steps }: AttributeState): void {
    const { columns, gradientOffset = 0, mirrorOffset, learningRate } = attribute;
    const bytes = new ArrayBuffer(settingsLength);
    new Uint32Array(bytes).set([this.#rows, columns, gradientOffset, mirrorOffset, mirrorStride]);
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

  #bind({ gradientOffset }: Attribute, settings: GPUBuffer, buffers: Buffers): GPUBindGroup {
    const { tiles, gradients, harmonicGradients, mirror } = this.#scene;
    return this.#bindGroup(this.#adamLayout, [
      settings,
      tiles,
      gradientOffset === undefined ? harmonicGradients : gradients,
      buffers.parameters,
      buffers.m,
      buffers.v,
      mirror,
    ]);
  }

  #bindGroup(layout: GPUBindGroupLayout, buffers: readonly GPUBuffer[]): GPUBindGroup {
    return this.#device.createBindGroup({
      layout,
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }

  /** A uniform buffer, followed by storage buffers. */
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
