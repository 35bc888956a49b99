import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "gradstep-webgpu-"));
const [cache, project, empty] = ["cache", "project", "empty"].map((name) => join(directory, name));

/** A package `webgpu` whose only adapter has this description. */
function install(folder: string, description: string): void {
  const target = join(folder, "node_modules", "webgpu");
  mkdirSync(target, { recursive: true });
  const manifest = { name: "webgpu", version: "1.0.0", type: "module", main: "index.js" };
  writeFileSync(join(target, "package.json"), JSON.stringify(manifest));
  writeFileSync(
    join(target, "index.js"),
    `export const create = () => ({
      requestAdapter: async () => ({ info: { description: ${JSON.stringify(description)} } }),
    });`,
  );
}

/** What a program of the cache finds that runs in a folder. */
async function foundIn(cwd: string): Promise<string> {
  // Linux would look for a driver of Vulkan first.
  const program = `
    Object.defineProperty(process, "platform", { value: "darwin" });
    const { nodeGpu } = await import(${JSON.stringify(pathToFileURL(join(cache, "dist", "node", "index.js")).href)});
    console.log(await nodeGpu().then(({ description }) => description, ({ message }) => message));
  `;
  const args = ["--input-type=module", "--eval", program];
  // pnpm sets it, and Node would look there.
  const env = { ...process.env, NODE_PATH: undefined };
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, env });
  return stdout.trim();
}

beforeAll(() => {
  for (const folder of [cache, project, empty]) mkdirSync(folder);
  // A copy, since Node resolves from where a file is.
  cpSync(fileURLToPath(new URL("../dist", import.meta.url)), join(cache, "dist"), {
    recursive: true,
  });
  writeFileSync(join(cache, "package.json"), JSON.stringify({ type: "module" }));
  mkdirSync(join(cache, "node_modules", "@gradstep"), { recursive: true });
  symlinkSync(
    fileURLToPath(new URL("../node_modules/@gradstep/core", import.meta.url)),
    join(cache, "node_modules", "@gradstep", "core"),
    "junction",
  );
  install(project, "that of the project");
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

test("a program that runs from elsewhere uses the package of the project in which it runs", async () => {
  expect(await foundIn(project)).toBe("that of the project");
});

test("without the package, the message says how to install it", async () => {
  expect(await foundIn(empty)).toContain("npm install webgpu");
});

test("a program with the package uses its own", async () => {
  install(cache, "its own");
  expect(await foundIn(project)).toBe("its own");
});
