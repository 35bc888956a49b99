import { build } from "esbuild";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(packageFolder, "node_modules", ".bundles-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What the module is worth after esbuild has put it and all that it imports into one file. */
async function bundled(name: string, contents: string): Promise<{ value: unknown; bytes: number }> {
  const outfile = join(folder, `${name}.js`);
  const { metafile } = await build({
    stdin: { contents, resolveDir: packageFolder },
    outfile,
    bundle: true,
    metafile: true,
    format: "esm",
    minify: true,
  });
  const { value } = (await import(pathToFileURL(outfile).href)) as { value: unknown };
  return { value, bytes: Object.values(metafile.outputs)[0].bytes };
}

// The file holds the WebGPU backend's import() of core, too: esbuild then runs core when it is asked for, by the index.
test("what is imported from core alone is there", async () => {
  const { value, bytes } = await bundled(
    "core-alone",
    `import { GradstepError, adam, newRow } from "gradstep";
     function caught() { try { adam({ learningRate: -1 }) } catch (error) { return error } }
     export const value = [newRow, adam().rule.name, caught() instanceof GradstepError];`,
  );
  expect(value).toEqual([0xffffffff, "adam", true]);
  // Nothing of the backends.
  expect(bytes).toBeLessThan(30_000);
});

test("a rule of one's own is defined", async () => {
  const { value } = await bundled(
    "own-rule",
    `import { defineRule, nonNegative } from "gradstep";
     const rule = defineRule({
       name: "descent",
       hyperparameters: { learningRate: nonNegative(1) },
       perElement: "p = p - g * learningRate",
     });
     export const value = rule().hyperparameters.learningRate;`,
  );
  expect(value).toBe(1);
});
