/** How many dispatches something records. */
export type DispatchCounter = (action: () => unknown) => number;

/** Counts the dispatches that are recorded on a device, whoever records them. */
export function dispatchCounter(device: GPUDevice): DispatchCounter {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  const prototype = Object.getPrototypeOf(pass) as GPUComputePassEncoder;
  pass.end();
  return (action) => {
    // oxlint-disable-next-line typescript/unbound-method -- it is called on the pass again
    const { dispatchWorkgroups } = prototype;
    let count = 0;
    prototype.dispatchWorkgroups = function counted(x, y, z): undefined {
      count += 1;
      dispatchWorkgroups.call(this, x, y, z);
      return undefined;
    };
    try {
      action();
    } finally {
      prototype.dispatchWorkgroups = dispatchWorkgroups;
    }
    return count;
  };
}
