import { readFileSync } from "node:fs";
import process from "node:process";
import { parseGolden, replay, wgsl } from "@gradstep/conformance";
import { webgpu } from "@gradstep/webgpu";

// Deno runs this program. Its WebGPU is wgpu, an implementation that has nothing in common with Dawn.
const { device } = await webgpu();
const results = [];
// Runs every `stride`-th case of these libraries, beginning with case `first`.
const [stride, first, ...libraries] = process.argv.slice(2);
for (const library of libraries) {
  const path = new URL(`../../../conformance/fixtures/${library}.json`, import.meta.url);
  const golden = parseGolden(readFileSync(path, "utf8"), library);
  const cases = golden.cases.filter((_, i) => i % Number(stride) === Number(first));
  results.push(
    ...(await replay({ ...golden, cases }, { backend: () => webgpu({ device }), model: wgsl })),
  );
}
process.stdout.write(`${JSON.stringify(results)}\n`, () => {
  process.exit(0);
});
