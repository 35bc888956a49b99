import { engine, type KernelBackend } from "@tensorflow/tfjs-core";
import { cpuHome } from "./cpu-home.js";
import { elsewhere, type Home } from "./home.js";
import { wasmHome } from "./wasm-home.js";
import { webgpuHome } from "./webgpu-home.js";

const makers: Readonly<Record<string, (backend: KernelBackend) => Home | undefined>> = {
  cpu: cpuHome,
  wasm: wasmHome,
  webgpu: webgpuHome,
};

const known = new WeakMap<KernelBackend, Home>();

/** Where steps are taken while TF.js computes on that backend. */
export function homeOf(backend: KernelBackend): Home {
  let home = known.get(backend);
  if (home === undefined) {
    const { registry } = engine();
    // By name and by shape: the storage of other backends may look alike and be a mere cache.
    const name = Object.keys(makers).find((one) => registry[one] === backend);
    home = (name === undefined ? undefined : makers[name](backend)) ?? elsewhere;
    known.set(backend, home);
  }
  return home;
}

/** Looks at the backends that exist, so that what is shared from now on is known when the first step comes. */
export function watchBackends(): void {
  for (const backend of Object.values(engine().registry)) homeOf(backend);
}
