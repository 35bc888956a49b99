import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, test } from "vitest";
import { chromiumPackageFolder } from "../src/node/chromium-package.js";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A project with these files in `node_modules/@sparticuz/chromium`. */
function projectWith(files: Readonly<Record<string, string>>): string {
  const project = mkdtempSync(join(tmpdir(), "gradstep-"));
  folders.push(project);
  for (const [name, text] of Object.entries(files)) {
    const file = join(project, "node_modules/@sparticuz/chromium", name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return project;
}

const name = "@sparticuz/chromium";

test.each([
  [
    "147, whose entry point has a package.json of its own",
    {
      "package.json": JSON.stringify({
        name,
        exports: {
          ".": { import: "./build/esm/index.js", require: "./build/cjs/index.cjs" },
        },
      }),
      "build/cjs/package.json": JSON.stringify({ type: "commonjs" }),
      "build/cjs/index.cjs": "",
      "build/esm/index.js": "",
    },
  ],
  [
    "153",
    {
      "package.json": JSON.stringify({
        name,
        type: "module",
        exports: { ".": { default: "./build/index.js" } },
      }),
      "build/index.js": "",
    },
  ],
])("the folder of version %s", (_, files) => {
  const project = projectWith(files);
  const folder = join(project, "node_modules/@sparticuz/chromium");
  expect(chromiumPackageFolder([join(project, "index.js")])).toBe(folder);
  expect(chromiumPackageFolder([pathToFileURL(join(project, "index.js")).href])).toBe(folder);
  // A bundle is looked up from the first file that finds the package.
  expect(chromiumPackageFolder(["/nowhere/a.js", join(project, "dist/bundle.js")])).toBe(folder);
});

test("no package", () => {
  expect(chromiumPackageFolder([])).toBeUndefined();
  expect(chromiumPackageFolder([join(projectWith({}), "index.js")])).toBeUndefined();
});
