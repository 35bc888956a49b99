import type { HostTensor } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { changing, live } from "./changed-backends.js";

/** Backends whose tensors hold, share or free the wrong memory. */
export const tensorMutants: readonly Mutant[] = [
  changing("wrap ignores the offset", (backend) => {
    const wrap = backend.wrap.bind(backend);
    backend.wrap = (memory, options) => {
      wrap(memory, options);
      return options?.shape === undefined ? wrap(memory) : wrap(memory, { shape: options.shape });
    };
  }),
  changing("wrap begins one value too late where it can", (backend) => {
    const wrap = backend.wrap.bind(backend);
    backend.wrap = (memory, options = {}) => {
      const tensor = wrap(memory, options);
      const offset = (options.offset ?? 0) + 1;
      return offset + tensor.size <= memory.length
        ? wrap(memory, { shape: tensor.shape, offset })
        : tensor;
    };
  }),
  changing("wrap ignores where a view begins", (backend) => {
    const wrap = backend.wrap.bind(backend);
    backend.wrap = (memory, options) => {
      wrap(memory, options);
      return wrap(new Float32Array(memory.buffer), {
        ...options,
        shape: wrap(memory, options).shape,
      });
    };
  }),
  changing("wrap copies", (backend) => {
    const wrap = backend.wrap.bind(backend);
    backend.wrap = (memory, options) => wrap(memory.slice(), options);
  }),
  changing("free does nothing", (backend) => {
    const tensor = backend.tensor.bind(backend);
    backend.tensor = (shape, values) => Object.assign(tensor(shape, values), { free: () => {} });
  }),
  changing("free clears caller-owned memory", (backend) => {
    const wrap = backend.wrap.bind(backend);
    backend.wrap = (memory, options) => {
      const tensor = wrap(memory, options);
      const free = tensor.free.bind(tensor);
      return Object.assign(tensor, {
        free: () => {
          live(tensor).fill(0);
          free();
        },
      });
    };
  }),
  changing("new tensors hold what freed ones held", (backend) => {
    const tensor = backend.tensor.bind(backend);
    const freed = new Map<number, Float32Array>();
    backend.tensor = (shape, values) => {
      const made = tensor(shape, values) as HostTensor;
      const used = freed.get(made.size);
      if (used !== undefined && values === undefined) made.write(used);
      const free = made.free.bind(made);
      return Object.assign(made, {
        free: () => {
          if (!made.freed) freed.set(made.size, live(made));
          free();
        },
      });
    };
  }),
  changing("a smaller tensor holds what a larger one held", (backend) => {
    const tensor = backend.tensor.bind(backend);
    let freed: Float32Array = new Float32Array(0);
    backend.tensor = (shape, values) => {
      const made = tensor(shape, values) as HostTensor;
      if (values === undefined && made.size < freed.length)
        made.write(freed.subarray(0, made.size));
      const free = made.free.bind(made);
      return Object.assign(made, {
        free: () => {
          if (!made.freed) freed = live(made);
          free();
        },
      });
    };
  }),
  changing("a tensor made after another was freed is in a third one's memory", (backend) => {
    const tensor = backend.tensor.bind(backend);
    const others = new Set<HostTensor>();
    let hasFreed = false;
    backend.tensor = (shape, values) => {
      const made = tensor(shape, values) as HostTensor;
      const other = [...others].find(({ size, freed }) => !freed && size >= made.size);
      if (hasFreed && values !== undefined && other !== undefined) {
        const shared = backend.wrap(live(other), { shape }) as HostTensor;
        shared.write(values);
        return shared;
      }
      others.add(made);
      const free = made.free.bind(made);
      return Object.assign(made, {
        free: () => {
          hasFreed = true;
          free();
        },
      });
    };
  }),
  changing("a tensor keeps the array it was made from", (backend) => {
    const tensor = backend.tensor.bind(backend);
    backend.tensor = (shape, values) => {
      const made = tensor(shape, values) as HostTensor;
      if (values instanceof Float32Array) made.stage(values);
      return made;
    };
  }),
  changing("read gives the live values", (backend) => {
    const tensor = backend.tensor.bind(backend);
    backend.tensor = (shape, values) => {
      const made = tensor(shape, values);
      return Object.assign(made, { read: async () => live(made) });
    };
  }),
  changing("staging copies the first array only", (backend) => {
    const staging = backend.staging.bind(backend);
    backend.staging = (shape) => {
      const made = staging(shape);
      const stage = made.stage.bind(made);
      let isStaged = false;
      return Object.assign(made, {
        stage: (values: Float32Array) => {
          if (!isStaged) stage(values.slice());
          isStaged = true;
        },
      });
    };
  }),
];
