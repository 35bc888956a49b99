import { adam, clipByGlobalNorm, chain, createOptimizer, muon } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { describe, newDevice } from "./gpu.js";

/** A device that collects the labels of what it and its encoders make. */
function labelledDevice(device: GPUDevice): {
  readonly device: GPUDevice;
  readonly labels: readonly (readonly [string, string | undefined])[];
} {
  const labels: [string, string | undefined][] = [];
  const collecting = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(_, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...parameters: unknown[]): unknown => {
          const result: unknown = Reflect.apply(value, target, parameters);
          const name = String(key);
          if (!/^(create|beginComputePass)/.test(name)) return result;
          labels.push([name, (parameters[0] as GPUObjectDescriptorBase | undefined)?.label]);
          return name === "createCommandEncoder" ? collecting(result as object) : result;
        };
      },
    });
  return { device: collecting(device), labels };
}

describe("labels", () => {
  test("all that the backend makes on a device has a label that starts with its name", async () => {
    const { device, labels } = labelledDevice(await newDevice());
    const backend = webgpu({ device });
    const w = backend.tensor([4, 5]);
    const word = { shape: [4], dtype: "u32" as const };
    const rows = backend.wrap(
      device.createBuffer({ label: "gradstep test", size: 16, usage: 0x8c }),
      word,
    );
    const optimizers = [
      createOptimizer(adam(), { w }),
      createOptimizer(chain(clipByGlobalNorm(1), adam()), { w }),
      createOptimizer(muon(), { w }),
      createOptimizer(adam(), { w }, { lossScale: "dynamic" }),
    ];
    for (const optimizer of optimizers) {
      const g = optimizer.gradient("w");
      optimizer.step({ w: g });
      optimizer.step({ w: g }, { rows });
      optimizer.step({ w: g }, { rows: new Uint32Array(4) });
      optimizer.encode(device.createCommandEncoder({ label: "gradstep test" }), { w: g });
      await optimizer.state();
    }
    optimizers[0].rows().remap(new Uint32Array(400));
    await backend.ready();
    const kinds = new Set(labels.map(([kind]) => kind));
    expect([...kinds].sort()).toEqual([
      "beginComputePass",
      "createBindGroup",
      "createBindGroupLayout",
      "createBuffer",
      "createCommandEncoder",
      "createComputePipeline",
      "createPipelineLayout",
      "createShaderModule",
    ]);
    expect(labels.filter(([, label]) => label?.startsWith("gradstep ") !== true)).toEqual([]);
    backend.dispose();
  });
});
