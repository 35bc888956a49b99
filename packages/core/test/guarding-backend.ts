import type { Kernel, Tensor, Update } from "../src/backend/backend.js";
import type { GuardOptions } from "../src/backend/guard.js";
import { guardSteps } from "../src/optimizer/guarded/guarded-steps.js";
import type { GuardingBackend } from "../src/optimizer/guarded/guarding-backend.js";
import type { HostArray } from "../src/backend/host-array.js";
import type { HostTensor } from "../src/backend/host-tensor.js";
import type { WrappingBackend } from "../src/backend/wrapping-backend.js";
import { reference } from "../src/reference.js";
import { copyOf, HostGuard, type Target } from "./host-guard.js";

/** A backend whose memory the host does not see. */
export interface DeviceBackend extends GuardingBackend, WrappingBackend<HostArray> {
  submit: (target: Target) => void;
  /** The same tensor, in memory that the host does not see. */
  hide: (tensor: Tensor) => Tensor;
}

/**
 * The reference on a device: the host cannot look at its tensors, and the device decides which steps are skipped.
 * What is encoded is executed by `submit`.
 */
export function guarding(): DeviceBackend {
  const backend = reference();
  let isOnDevice = false;
  const onDevice = <R>(work: () => R): R => {
    const before = isOnDevice;
    isOnDevice = true;
    try {
      return work();
    } finally {
      isOnDevice = before;
    }
  };
  /** Executes a member of the backend or of a kernel where memory can be accessed. */
  const move = (owner: object, name: string): void => {
    const member = Reflect.get(owner, name) as (...inputs: unknown[]) => unknown;
    const moved = (...inputs: unknown[]): unknown =>
      onDevice(() => Reflect.apply(member, owner, inputs));
    Object.defineProperty(owner, name, { value: moved, writable: true });
  };
  const isSeen = (key: string | symbol): boolean =>
    isOnDevice || !["view", "stored", "rowValues"].includes(String(key));
  const hide = (tensor: Tensor): HostTensor =>
    new Proxy(tensor as HostTensor, {
      has: (target, key) => isSeen(key) && Reflect.has(target, key),
      get: (target, key) => {
        const value: unknown = isSeen(key) ? Reflect.get(target, key) : undefined;
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  const plain = {
    tensor: backend.tensor.bind(backend),
    staging: backend.staging.bind(backend),
    compile: backend.compile.bind(backend),
  };
  for (const name of ["remap", "copy", "fillCopy", "runTogether"]) move(backend, name);
  const kernels = new WeakSet<Kernel>();
  return Object.assign(backend, {
    hide,
    tensor: (...inputs: Parameters<typeof plain.tensor>) => hide(plain.tensor(...inputs)),
    staging: (shape: readonly number[]) => {
      const tensor = plain.staging(shape) as HostTensor;
      const stage = tensor.stage.bind(tensor);
      // A copy: the device has memory of its own.
      tensor.stage = (values) => stage(values.slice());
      return hide(tensor);
    },
    compile: (variant: Parameters<typeof plain.compile>[0]) => {
      const kernel = plain.compile(variant);
      if (kernels.has(kernel)) return kernel;
      kernels.add(kernel);
      move(kernel, "run");
      return Object.assign(kernel, {
        encode: (target: Target, updates: readonly Update[], count: number) => {
          const all = copyOf(updates, count);
          if (all.some(({ mask }) => ArrayBuffer.isView(mask)))
            throw new Error("A mask of recorded work is in an array");
          target.push(() => kernel.run(all, count));
        },
      });
    },
    maskOf: (flags: Tensor) => {
      const { buffer, byteOffset } = onDevice(() => flags.view!());
      const words = new Uint32Array(buffer as ArrayBuffer, byteOffset, flags.size);
      return backend.wrap(words, { shape: [flags.size], dtype: "u32" });
    },
    guardSteps,
    guard: (options: GuardOptions) => {
      const guard = new HostGuard(backend, options);
      for (const name of ["check", "run"]) {
        const member = Reflect.get(guard, name) as (...inputs: unknown[]) => void;
        Reflect.set(guard, name, (...inputs: unknown[]) =>
          onDevice(() => Reflect.apply(member, guard, inputs)),
        );
      }
      return guard;
    },
    submit: (target: Target) => onDevice(() => target.splice(0).forEach((work) => work())),
  });
}
