import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { webgpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { describe, newDevice } from "./gpu.js";

test.each([[{ devise: {} }], [null], [[]], ["cpu"]])(
  "options %j are refused, and no device is asked for",
  (options) => {
    expect(() => webgpu(options as never)).toThrow(
      expect.objectContaining({ code: "UNKNOWN_OPTION" }) as Error,
    );
  },
);

describe("webgpu({ device })", () => {
  test("returns the backend at once, as in browsers; the device outlives it", async () => {
    const device = await newDevice();
    const backend = webgpu({ device });
    const weights = backend.tensor([2], [1, 2]);
    expect(await weights.read()).toEqual(new Float32Array([1, 2]));
    backend.dispose();
    const again = webgpu({ device });
    expect(await again.tensor([1], [3]).read()).toEqual(new Float32Array([3]));
  });
});

slowTest(
  "where Vulkan does not find the software driver, the error says why and what to do",
  async () => {
    if (process.platform !== "linux" || process.arch !== "x64") return;
    // The environment of a worker is a copy.
    const program = `
      import { parentPort } from "node:worker_threads";
      import { webgpu } from ${JSON.stringify(import.meta.resolve("@gradstep/webgpu/node"))};
      const found = await webgpu().then((backend) => backend.name, ({ code, message }) => code + " " + message);
      parentPort.postMessage(found);
    `;
    const found = (env: NodeJS.ProcessEnv): Promise<string> => {
      const main = `
        import { Worker } from "node:worker_threads";
        const url = "data:text/javascript," + encodeURIComponent(${JSON.stringify(program)});
        new Worker(new URL(url)).on("message", console.log).on("error", console.log);
      `;
      const args = ["--input-type=module", "--eval", main];
      return promisify(execFile)(process.execPath, args, { env }).then(({ stdout }) => stdout);
    };
    const { VK_ICD_FILENAMES: _, ...env } = process.env;
    const message = await found(env);
    // Where there is a driver, Vulkan needs no variable.
    if (message.startsWith("webgpu")) return;
    expect(message).toMatch(/^UNSUPPORTED .* worker thread, in Jest or in Bun/);
    const [file] = /(?<=VK_ICD_FILENAMES=)\S+\.json/.exec(message)!;
    expect(await found({ ...env, VK_ICD_FILENAMES: file })).toMatch(/^webgpu/);
  },
);
