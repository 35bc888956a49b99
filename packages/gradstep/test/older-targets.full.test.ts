import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as gradstep from "gradstep";
import { rules } from "@gradstep/core/rules";
import { optimizerByName } from "gradstep/by-name";

/** gradstep as a bundler delivers it that turns class fields into assignments and private names into maps. */
let older: typeof gradstep & { optimizerByName: typeof optimizerByName };
const folder = mkdtempSync(join(tmpdir(), "gradstep-"));

beforeAll(async () => {
  const outfile = join(folder, "gradstep.mjs");
  await build({
    stdin: {
      contents: `export * from "gradstep"; export { optimizerByName } from "gradstep/by-name";`,
      resolveDir: fileURLToPath(new URL("..", import.meta.url)),
    },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "es2020",
    supported: { "top-level-await": true },
    outfile,
  });
  older = (await import(pathToFileURL(outfile).href)) as typeof older;
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The bits of a parameter after three steps in a group of its own. */
async function trained(library: typeof older, name: string, backend: "cpuJs" | "wasm") {
  const weights = library[backend]().tensor([2, 3], [1, -2, 3, -4, 5, -6]);
  const optimizer = library.createOptimizer(
    library.optimizerByName(name),
    { weights },
    { groups: [{ match: "weights", weightDecay: 0.01 }] },
  );
  for (let step = 1; step <= 3; step += 1)
    optimizer.step({ weights: new Float32Array([step, 1, 0, -1, 0.5, -step]) });
  optimizer.groups[0].weightDecay = 0;
  optimizer.step({ weights: new Float32Array(6).fill(1) });
  const state = await optimizer.state();
  return { weights: await weights.read(), state };
}

test.each(rules.flatMap(({ name }) => [[name, "cpuJs"] as const, [name, "wasm"] as const]))(
  "%s on %s, bundled for es2020, has the bits of the package",
  async (name, backend) => {
    const expected = await trained({ ...gradstep, optimizerByName }, name, backend);
    expect(await trained(older, name, backend)).toEqual(expected);
  },
);

test("unknown properties are refused", () => {
  const weights = older.cpuJs().tensor([1]);
  const optimizer = older.createOptimizer(
    older.adam(),
    { weights },
    { groups: [{ match: "weights" }] },
  );
  const unknown = expect.objectContaining({ code: "UNKNOWN_OPTION" });
  expect(() => Object.assign(optimizer, { learningrate: 1 })).toThrow(unknown);
  expect(() => Object.assign(optimizer.groups[0], { lr: 1 })).toThrow(unknown);
});
