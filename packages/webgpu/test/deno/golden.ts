import { readFileSync } from "node:fs";
import process from "node:process";
import { parseGolden, replay, wgsl } from "@gradstep/conformance";
import { webgpu } from "@gradstep/webgpu";

// Deno runs this program. Its WebGPU is wgpu, an implementation that has nothing in common with Dawn.
const { device } = await webgpu();
const results = [];
for (const library of process.argv.slice(2)) {
  const path = new URL(`../../../conformance/fixtures/${library}.json`, import.meta.url);
  const golden = parseGolden(readFileSync(path, "utf8"), library);
  results.push(...(await replay(golden, { backend: () => webgpu({ device }), model: wgsl })));
}
process.stdout.write(`${JSON.stringify(results)}\n`, () => {
  process.exit(0);
});
