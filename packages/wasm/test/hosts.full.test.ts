import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { adam, createOptimizer, defineRule, nonNegative } from "@gradstep/core";
import { afterEach, expect, test, vi } from "vitest";
import { isSupported, wasm } from "../src/index.js";
import { controlWords } from "../src/threads/control-block.js";
import { nodeWorkerThreads, threadsUnavailable } from "../src/threads/thread-support.js";
import { workerScript } from "../src/threads/worker-script.js";
import { canBlock, startWorker } from "../src/threads/worker.js";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Replaces properties of `process`, of which vitest needs the others: without `nextTick` its process hangs. */
function stubProcess(properties: Readonly<Record<string, unknown>>): void {
  vi.stubGlobal("process", Object.assign(Object.create(process), properties));
}

test("a host without TextEncoder (jsdom, AudioWorklet) runs steps", async () => {
  vi.stubGlobal("TextEncoder", undefined);
  vi.stubGlobal("TextDecoder", undefined);
  expect(isSupported()).toBe(true);
  const backend = wasm();
  const w = backend.tensor([5], [1, 2, 3, 4, 5]);
  createOptimizer(adam({ learningRate: 1 }), { w }).step({ w: new Float32Array(5).fill(1) });
  expect((await w.read())[4]).toBeCloseTo(4);
});

test("a host without WebAssembly is not supported", () => {
  vi.stubGlobal("WebAssembly", undefined);
  expect(isSupported()).toBe(false);
  expect(() => wasm()).toThrow(expect.objectContaining({ code: "UNSUPPORTED" }));
});

test("a host without address space for any memory is not supported, and memoryLimit is no advice", () => {
  vi.spyOn(WebAssembly, "Memory").mockImplementation(function () {
    throw new RangeError("could not allocate memory");
  });
  expect(isSupported()).toBe(false);
  expect(() => wasm()).toThrow(
    expect.objectContaining({
      code: "OUT_OF_MEMORY",
      message: expect.stringMatching(/of any size.*cpuJs\(\)/) as string,
    }),
  );
});

test("a host with address space for a smaller memory only: the advice is memoryLimit", () => {
  const { Memory } = WebAssembly;
  vi.spyOn(WebAssembly, "Memory").mockImplementation(function (
    descriptor: WebAssembly.MemoryDescriptor,
  ) {
    if (descriptor.maximum! > 16384) throw new RangeError("could not allocate memory");
    return new Memory(descriptor);
  });
  expect(isSupported()).toBe(true);
  expect(() => wasm()).toThrow(
    expect.objectContaining({
      code: "OUT_OF_MEMORY",
      message: expect.stringContaining("set memoryLimit") as string,
    }),
  );
  expect(wasm({ memoryLimit: 2 ** 30 }).name).toBe("wasm");
});

// The limit is one of Linux.
test.skipIf(process.platform !== "linux")(
  "in a process with limited address space (ulimit -v), isSupported() is false and wasm() throws OUT_OF_MEMORY",
  async () => {
    const script = fileURLToPath(new URL("limited-address-space.mjs", import.meta.url));
    const command = `ulimit -v 6000000 && exec "${process.execPath}" "${script}"`;
    const { stdout } = await promisify(execFile)("sh", ["-c", command]);
    expect(stdout.trim()).toBe("false OUT_OF_MEMORY OUT_OF_MEMORY");
  },
);

test("a page whose policy forbids compiling is not supported, and the error names the policy", () => {
  vi.spyOn(WebAssembly, "Module").mockImplementation(function () {
    throw new WebAssembly.CompileError("Refused to compile or instantiate WebAssembly module");
  });
  expect(isSupported()).toBe(false);
  const backend = wasm();
  // A built-in rule may be compiled already.
  const descent = defineRule({
    name: "descent",
    hyperparameters: { learningRate: nonNegative(0.1) },
    slots: {},
    perElement: "p = p - g * learningRate",
  });
  expect(() => createOptimizer(descent(), { w: backend.tensor([1]) })).toThrow(
    expect.objectContaining({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/'wasm-unsafe-eval'.*rules\/descent\.wasm/) as string,
    }),
  );
});

test("a renderer of Electron uses Web Workers, although Node's modules are there", () => {
  expect(nodeWorkerThreads()).toBeDefined();
  expect(threadsUnavailable()).toBeUndefined();
  stubProcess({ type: "browser" });
  expect(nodeWorkerThreads()).toBeDefined();
  for (const type of ["renderer", "worker"]) {
    stubProcess({ type });
    expect(nodeWorkerThreads()).toBeUndefined();
  }
  vi.stubGlobal("Worker", undefined);
  expect(threadsUnavailable()).toContain("no workers");
  vi.stubGlobal("Worker", class {});
  vi.stubGlobal("crossOriginIsolated", true);
  expect(threadsUnavailable()).toBeUndefined();
  vi.stubGlobal("SharedArrayBuffer", undefined);
  expect(threadsUnavailable()).toContain("not cross-origin isolated");
});

/** A Web Worker of a browser that does nothing by itself. */
class StubWorker {
  static created: StubWorker[] = [];
  onmessage: (() => void) | null = null;
  onerror: ((event: { message?: string }) => void) | null = null;
  readonly posted: unknown[] = [];
  terminated = false;
  readonly url: string;
  constructor(url: string) {
    this.url = url;
    StubWorker.created.push(this);
  }
  postMessage(data: unknown): void {
    this.posted.push(data);
  }
  terminate(): void {
    this.terminated = true;
  }
}

/** Starts a stub of a Web Worker; says which blob URLs are live. */
function startStub(url?: string) {
  stubProcess({ getBuiltinModule: undefined });
  vi.stubGlobal("Worker", StubWorker);
  const live = new Set<string>();
  const blobs: Blob[] = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
    blobs.push(blob as Blob);
    live.add("blob:1");
    return "blob:1";
  });
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((blob) => void live.delete(blob));
  const lost: string[] = [];
  const data = { memory: new WebAssembly.Memory({ initial: 0 }), control: 64, index: 0 };
  const start = () => startWorker(data, url, (reason) => lost.push(reason));
  return { start, live, blobs, lost, data };
}

test("the blob URL of a worker is live until the worker has loaded, failed or been terminated", () => {
  for (const end of [
    (worker: StubWorker) => worker.onmessage!(),
    (worker: StubWorker) => worker.onerror!({ message: "blocked" }),
    (worker: StubWorker) => worker.onerror!({}),
  ]) {
    const { start, live, data } = startStub();
    start();
    const worker = StubWorker.created.at(-1)!;
    expect([worker.url, [...live]]).toEqual(["blob:1", ["blob:1"]]);
    expect(worker.posted).toEqual([data]);
    end(worker);
    expect([...live]).toEqual([]);
  }
  const { start, live } = startStub();
  start().terminate();
  expect([...live]).toEqual([]);
  expect(StubWorker.created.at(-1)!.terminated).toBe(true);
});

test("the blob of a worker holds its script", async () => {
  const { start, blobs } = startStub();
  start();
  const [blob] = blobs;
  expect(blob.type).toBe("text/javascript");
  expect(await blob.text()).toBe(workerScript());
});

test("the script of a Web Worker says that it has loaded, and works on what it is sent", () => {
  const posted: unknown[] = [];
  const worker: { onmessage?: (event: { data: object }) => void } = {};
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const words = new Int32Array(memory.buffer, 64, 64);
  vi.spyOn(Atomics, "wait").mockImplementation(() => {
    throw new Error("asleep");
  });
  runInNewContext(workerScript().replace("onmessage", "worker.onmessage"), {
    worker,
    postMessage: (message: unknown) => posted.push(message),
    Int32Array,
    Atomics,
    Map,
  });
  expect(() => worker.onmessage!({ data: { memory, control: 64, index: 2 } })).toThrow("asleep");
  expect(posted).toEqual(["loaded"]);
  expect(words[controlWords.started + 2]).toBe(1);
});

test("the main thread of a page cannot block, others can", () => {
  expect(canBlock()).toBe(true);
  vi.stubGlobal("window", globalThis);
  expect(canBlock()).toBe(false);
});

test("a worker of Node that fails is lost, with its error and its exit code", async () => {
  const lost: string[] = [];
  const data = { memory: undefined as never, control: 64, index: 0 };
  startWorker(data, undefined, (reason) => lost.push(reason));
  await vi.waitUntil(() => lost.length === 2, { timeout: 30_000 });
  expect(lost[0]).toContain("TypeError");
  expect(lost[1]).toBe("it exited with code 1");
});

test("a Web Worker that fails is lost, with the reason that the host gives", () => {
  const { start, lost } = startStub();
  start();
  StubWorker.created.at(-1)!.onerror!({ message: "blocked" });
  StubWorker.created.at(-1)!.onerror!({});
  expect(lost).toEqual(["blocked", "its script did not load"]);
});

test("a worker that cannot be created leaves no blob URL behind", () => {
  const { start, live } = startStub();
  vi.stubGlobal(
    "Worker",
    class {
      constructor() {
        throw new Error("refused");
      }
    },
  );
  expect(start).toThrow("refused");
  expect([...live]).toEqual([]);
});

test("a worker from workerUrl creates no blob", () => {
  const { start, live } = startStub("/worker.js");
  start();
  expect([StubWorker.created.at(-1)!.url, live.size]).toEqual(["/worker.js", 0]);
});
