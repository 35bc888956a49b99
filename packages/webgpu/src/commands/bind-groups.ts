import { firstArrayBinding, scalarsBinding, tableBinding } from "../shaders/kernel-layout.js";
import type { BindingRange, TabledDispatch } from "../planning/dispatch/dispatch.js";
import { idOf } from "../planning/dispatch/object-ids.js";
import { bindingLength } from "../planning/scalars/scalar-blocks.js";

/** What a dispatch binds. */
export interface DispatchBindings {
  readonly dispatch: TabledDispatch;
  readonly scratch: GPUBuffer | undefined;
  readonly scalars: GPUBuffer;
}

/** A bind group, and how many plans use it. */
interface SharedBindGroup {
  readonly group: GPUBindGroup;
  readonly key: string;
  users: number;
}

/** The bind groups of steps on the same parameters. Dispatches that bind the same memory share one. */
export class BindGroups {
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #groups = new Map<string, SharedBindGroup>();
  readonly #shared = new Map<GPUBindGroup, SharedBindGroup>();

  constructor(device: GPUDevice, label: string) {
    this.#device = device;
    this.#label = label;
  }

  acquire(bindings: DispatchBindings): GPUBindGroup {
    const key = keyOf(bindings);
    let shared = this.#groups.get(key);
    if (shared === undefined) {
      const group = bindGroupOf(this.#device, this.#label, bindings);
      shared = { group, key, users: 0 };
      this.#groups.set(key, shared);
      this.#shared.set(group, shared);
    }
    shared.users += 1;
    return shared.group;
  }

  /** Ends one use of what `acquire` returned. */
  release(group: GPUBindGroup): void {
    const shared = this.#shared.get(group)!;
    shared.users -= 1;
    if (shared.users > 0) return;
    this.#groups.delete(shared.key);
    this.#shared.delete(group);
  }
}

/** The bind group of a dispatch. Its scalars have a dynamic offset. */
export function bindGroupOf(
  device: GPUDevice,
  label: string,
  { dispatch: { kernel, bindings, tableRange }, scratch, scalars }: DispatchBindings,
): GPUBindGroup {
  const arrays = [...bindings, ...(kernel.usesScratch ? [{ buffer: scratch! }] : [])];
  const block = { buffer: scalars, offset: 0, size: bindingLength(kernel.scalarSetLength) };
  return device.createBindGroup({
    label,
    layout: kernel.bindGroupLayout,
    entries: [
      { binding: tableBinding, resource: tableRange },
      { binding: scalarsBinding, resource: block },
      ...arrays.map((resource, k) => ({ binding: firstArrayBinding + k, resource })),
    ],
  });
}

function keyOf({ dispatch, scratch, scalars }: DispatchBindings): string {
  const { kernel, bindings, tableRange } = dispatch;
  const rangeKey = ({ buffer, offset, size }: BindingRange): string =>
    `${idOf(buffer)}:${offset}:${size}`;
  return [
    idOf(kernel.bindGroupLayout),
    idOf(scalars),
    kernel.usesScratch ? idOf(scratch!) : 0,
    ...[tableRange, ...bindings].map(rangeKey),
  ].join(" ");
}
