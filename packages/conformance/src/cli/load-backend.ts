import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { show, type Backend } from "@gradstep/core";
import { roundToNearest, wgsl, type ErrorModel } from "../bounds/error-model.js";
import { BackendSource, type Factory } from "./backend-source.js";
import { UsageError } from "./usage.js";

/** A backend by its name. */
export interface NamedBackend {
  readonly name: string;
  /** Returns a fresh backend. */
  readonly make: () => Backend | Promise<Backend>;
  /** How far results may be from exact. */
  readonly model: ErrorModel;
  /** Whether `wrap` takes a Float32Array and updates it in place. */
  readonly wrapsArrays: boolean;
  /** Whether it runs rules with reductions. */
  readonly reductions: boolean;
  /** What makes it slow, such as "SwiftShader"; undefined if nothing does, or if there is no backend yet. */
  readonly slowDevice: () => string | undefined;
}

interface Known {
  readonly from: string;
  readonly factory: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly model?: ErrorModel;
  readonly wrapsArrays?: boolean;
  /** A property of a backend that others take as an option, because it is expensive to make. */
  readonly shared?: string;
}

const known: Readonly<Record<string, Known>> = {
  reference: { from: "@gradstep/core/reference", factory: "reference" },
  oracle: { from: "@gradstep/core/reference", factory: "oracle" },
  "cpu-js": { from: "@gradstep/cpu-js", factory: "cpuJs" },
  "cpu-js-exact": { from: "@gradstep/cpu-js", factory: "cpuJs", options: { exact: true } },
  wasm: { from: "@gradstep/wasm", factory: "wasm", wrapsArrays: false },
  webgpu: {
    from: "@gradstep/webgpu/node",
    factory: "webgpu",
    model: wgsl,
    wrapsArrays: false,
    shared: "device",
  },
  "worst-case": { from: "@gradstep/conformance", factory: "worstCase", model: wgsl },
};

/** The directory in which the command was typed. pnpm and npm run scripts in the package's own directory. */
export function userDirectory(): string {
  return process.env.INIT_CWD ?? process.cwd();
}

/** A path relative to the user's directory. */
export function userPath(path: string): string {
  const meant = resolve(userDirectory(), path);
  return existsSync(meant) ? meant : resolve(path);
}

/** @throws {UsageError} for an unknown name, a missing module, or a module without a factory */
export async function loadBackend(name: string): Promise<NamedBackend> {
  const entry = Object.hasOwn(known, name) ? known[name] : undefined;
  if (entry !== undefined) {
    const module = await importPackage(entry.from, name);
    const factory = module[entry.factory] as Factory;
    const { options, model = roundToNearest, wrapsArrays = true, shared } = entry;
    const source = new BackendSource(factory, options, shared);
    const make = (): Promise<Backend> => source.make();
    const slowDevice = (): string | undefined => emulatorOf(source.owner);
    return { name, make, model, wrapsArrays, reductions: true, slowDevice };
  }
  const isPath = name.startsWith(".") || isAbsolute(name) || /\.[cm]?[jt]s$/.test(name);
  const module = isPath ? await importFile("backend", name) : await importPackage(name, name);
  const factory = module.default ?? module.backend;
  if (typeof factory !== "function") {
    throw new UsageError(
      `Module "${name}" has no factory; expected a function as its default export, or named "backend".`,
    );
  }
  return {
    name,
    make: async () => checkedBackend(await (factory as Factory)(), name),
    model: roundToNearest,
    wrapsArrays: module.wrapsArrays !== false,
    reductions: module.reductions !== false,
    slowDevice: () => undefined,
  };
}

/** The name of the program that emulates the GPU of a WebGPU backend, if one does. */
function emulatorOf(backend: Backend | undefined): string | undefined {
  const { device } = (backend ?? {}) as {
    device?: { adapterInfo?: { isFallbackAdapter?: boolean; description?: string } };
  };
  const { isFallbackAdapter = false, description = "" } = device?.adapterInfo ?? {};
  return isFallbackAdapter ? description || "software" : undefined;
}

/** The exports of a file. @throws {UsageError} if there is no such file, or it is TypeScript that Node does not run */
export async function importFile(what: string, name: string): Promise<Record<string, unknown>> {
  const path = userPath(name);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new UsageError(
      `Got ${what} "${name}"; expected a file that exists (looked for ${path}).`,
    );
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
    throw new UsageError(
      `Got ${what} "${name}"; expected JavaScript, since this version of Node cannot run it (${(error as Error).message}). For TypeScript, install tsx and set NODE_OPTIONS="--import tsx".`,
    );
  }
}

/** @throws {UsageError} if it is not a backend */
function checkedBackend(backend: Backend, name: string): Backend {
  const methods = Object(backend) as Partial<Record<string, unknown>>;
  const missing = ["tensor", "staging", "compile"].filter(
    (method) => typeof methods[method] !== "function",
  );
  if (missing.length === 0) return backend;
  throw new UsageError(
    `The factory of module "${name}" returned ${show(backend)}, which has no ${missing.join(", ")}; expected a backend.`,
  );
}

/** From this package's dependencies, or from the user's directory. */
async function importPackage(specifier: string, name: string): Promise<Record<string, unknown>> {
  try {
    return (await import(specifier)) as Record<string, unknown>;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
  }
  try {
    const path = createRequire(join(userDirectory(), "_")).resolve(specifier);
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "MODULE_NOT_FOUND" && code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw error;
  }
  const names = Object.keys(known).filter((one) => one !== "oracle");
  throw new UsageError(
    Object.hasOwn(known, name)
      ? `Backend "${name}" is not installed; expected the package ${known[name].from} to be.`
      : `Got backend "${name}"; expected one of ${names.join(", ")}, or a module.`,
  );
}
