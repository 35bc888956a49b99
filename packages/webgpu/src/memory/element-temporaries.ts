import { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "../device/error-tracker.js";
import { destroyStale } from "../device/stale-work.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import { allocationAlignment } from "./buffer-pools.js";
import type { BufferView } from "./buffer-views.js";

/** A temporary, and the number of its values for each tensor. */
export interface ElementTemporary {
  readonly name: string;
  readonly sizes: readonly number[];
}

/**
 * The temporaries of elements of a step. Each has buffers of its own, as a slot has, so that one dispatch can bind
 * several of them; as few buffers as fit into bindings.
 */
export class ElementTemporaries {
  /** Why the device has no memory for them. */
  failure: GradstepError | undefined;
  readonly #buffers: GPUBuffer[] = [];
  /** By name, then by the index of the tensor. */
  readonly #views = new Map<string, readonly BufferView[]>();

  constructor(
    device: GPUDevice,
    errors: ErrorTracker,
    label: string,
    temporaries: readonly ElementTemporary[],
  ) {
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    const maxLength = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    for (const { name, sizes } of temporaries) {
      const places: { readonly buffer: number; readonly start: number }[] = [];
      const lengths: number[] = [];
      for (const size of sizes) {
        const length = Math.ceil((size * 4) / allocationAlignment) * allocationAlignment;
        const last = lengths.at(-1);
        if (last === undefined || last + length > maxLength) lengths.push(0);
        const buffer = lengths.length - 1;
        places.push({ buffer, start: lengths[buffer] / 4 });
        lengths[buffer] += length;
      }
      const buffers = lengths.map((length) => this.#create(device, errors, label, length));
      this.#views.set(
        name,
        places.map(({ buffer, start }) => ({ buffer: buffers[buffer], start })),
      );
    }
  }

  /** The memory of a temporary of a tensor. */
  viewOf(name: string, tensor: number): BufferView {
    return this.#views.get(name)![tensor];
  }

  destroy(): void {
    for (const buffer of this.#buffers) destroyStale(buffer);
  }

  #create(device: GPUDevice, errors: ErrorTracker, label: string, size: number): GPUBuffer {
    const buffer = errors.capture(
      "out-of-memory",
      () =>
        device.createBuffer({ label: `${label}, temporaries`, size, usage: bufferUsage.STORAGE }),
      (message) => {
        this.failure = new GradstepError(
          `The device has no ${size} bytes for the temporaries of a step: ${message}. Use a smaller model, or a rule without matrix products.`,
          { code: "OUT_OF_MEMORY" },
        );
        return this.failure;
      },
    );
    this.#buffers.push(buffer);
    return buffer;
  }
}
