/** Numbers of calls by method. */
export interface Calls {
  createBuffer: number;
  createBindGroup: number;
  createComputePipeline: number;
  dispatchWorkgroups: number;
  submit: number;
  writeBuffer: number;
  mapAsync: number;
}

const calls: Calls = {
  createBuffer: 0,
  createBindGroup: 0,
  createComputePipeline: 0,
  dispatchWorkgroups: 0,
  submit: 0,
  writeBuffer: 0,
  mapAsync: 0,
};

/** Buffers with gradstep's label that were not destroyed. */
const labelled = new Set<unknown>();

type Methods = Record<string, (...parameters: unknown[]) => unknown>;

let watched = false;

/** Counts the calls on all devices from now on, and the buffers that are made from now on. */
export function watchCalls(): void {
  // Those of other tests may be collected at any time.
  labelled.clear();
  // Test files share the prototypes.
  if (watched) return;
  watched = true;
  const count = (prototype: object, names: readonly (keyof Calls)[]): void => {
    const methods = prototype as Methods;
    for (const name of names) {
      const method = methods[name];
      methods[name] = function (...parameters) {
        calls[name] += 1;
        return method.apply(this, parameters);
      };
    }
  };
  const made = ["createBuffer", "createBindGroup", "createComputePipeline"] as const;
  count(GPUDevice.prototype, made);
  count(GPUComputePassEncoder.prototype, ["dispatchWorkgroups"]);
  count(GPUQueue.prototype, ["submit", "writeBuffer"]);
  count(GPUBuffer.prototype, ["mapAsync"]);

  const device = GPUDevice.prototype as unknown as Methods;
  const { createBuffer } = device;
  device.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    const { label } = descriptor as GPUBufferDescriptor;
    if (label?.startsWith("gradstep") === true) labelled.add(buffer);
    return buffer;
  };
  const buffers = GPUBuffer.prototype as unknown as Methods;
  const { destroy } = buffers;
  buffers.destroy = function () {
    labelled.delete(this);
    return destroy.call(this);
  };
}

/** The calls that `act` makes. */
export function callsOf(act: () => void): Calls {
  const before = { ...calls };
  act();
  const names = Object.keys(calls) as (keyof Calls)[];
  return Object.fromEntries(names.map((name) => [name, calls[name] - before[name]])) as never;
}

/** The number of gradstep's own buffers. */
export function ownBuffers(): number {
  return labelled.size;
}
