import { GradstepError } from "@gradstep/core";
import { memoryImport } from "../memory/batch-layout.js";
import type { WasmMemory, WasmModule } from "../webassembly-types.js";

/** A kernel of a module: updates `count` tensors, whose batch entries are consecutive from the address `entries`. */
export type RunKernel = (entries: number, count: number) => void;

/** The exports of a module of kernels. */
export type Exports = Readonly<Record<string, unknown>>;

/** Instantiates a module of kernels over a memory. */
export function instantiate(module: WasmModule, memory: WasmMemory): Exports {
  const imports = { [memoryImport.module]: { [memoryImport.name]: memory } };
  return new WebAssembly.Instance(module, imports).exports;
}

/**
 * Compiles the bytes of a module of kernels.
 *
 * @param rule its name, for the error message
 * @throws {GradstepError} `UNSUPPORTED` if the host forbids compiling at run time
 */
export function compileModule(bytes: Uint8Array<ArrayBuffer>, rule: string): WasmModule {
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    throw new GradstepError(
      `This host forbids compiling wasm at run time: ${String(cause).replace(/\.+$/, "")}. ` +
        `In a page, allow 'wasm-unsafe-eval' in its Content-Security-Policy (script-src), or use cpuJs(). ` +
        `On a host that imports compiled modules, such as Cloudflare Workers, pass the module of the rule: ` +
        `import module from "@gradstep/wasm/rules/${rule}.wasm" and wasm({ modules: [module] }); ` +
        `for a rule of your own, write kernelModule(rule) to a file.`,
      { code: "UNSUPPORTED", cause },
    );
  }
}
