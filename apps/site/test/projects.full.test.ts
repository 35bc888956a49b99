import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";
import { chromium as playwright, type Browser } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repositoryCommand, runCommand } from "../../../scripts/rehearsal/command.js";
import { chromium } from "../../../testing/chromium.js";
import { FreshProject, type OtherHosts } from "./fresh-project.js";
import { startPackageRegistry, type PackageRegistry } from "./package-registry.js";
import { blocksOf } from "./page-blocks.js";

/** The content delivery network, which answers with the package bundled to one module. */
const contentDelivery: OtherHosts = async (address, project) => {
  if (address !== "https://cdn.jsdelivr.net/npm/gradstep/+esm") return undefined;
  const path = join(project, "from-cdn.js");
  const entry = join(project, "node_modules/gradstep/dist/index.js");
  const options = ["--bundle", "--format=esm", `--outfile=${path}`];
  await runCommand(repositoryCommand("esbuild"), [entry, ...options]);
  return path;
};

// Downloads Vite and TensorFlow.js from the registry that npm is configured with.
describe("a reader who follows a page in a new folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "gradstep-start-"));
  let registry: PackageRegistry | undefined;
  let browser: Browser | undefined;
  beforeAll(async () => {
    const launch = await chromium();
    if (launch === undefined) throw new Error("The pages are tested in Chrome; found none.");
    [registry, browser] = await Promise.all([
      startPackageRegistry(folder),
      playwright.launch(launch),
    ]);
  });
  afterAll(async () => {
    registry?.stop();
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(["node", "typed-arrays", "tfjs", "webgpu", "browser"])(
    "start/%s.md: everything runs as written, and prints what the page says",
    async (name) => {
      const blocks = blocksOf(`start/${name}.md`);
      expect(blocks.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(["commands", "file", "output"]),
      );
      const parent = join(folder, name);
      mkdirSync(parent);
      const fresh = new FreshProject(parent, registry!.env, browser!, contentDelivery);
      expect(await fresh.follow(blocks)).toEqual([]);
    },
  );

  /** A project with packages, and with the files of a page. */
  async function project(page: string, ...packages: readonly string[]): Promise<FreshProject> {
    const parent = join(folder, page.replace(/\W/g, "-"));
    mkdirSync(parent);
    writeFileSync(join(parent, "package.json"), JSON.stringify({ type: "module" }));
    const fresh = new FreshProject(parent, registry!.env, browser!);
    const install = `npm install --ignore-scripts ${packages.join(" ")}`;
    await fresh.follow([{ kind: "commands", text: install }]);
    await fresh.follow(blocksOf(page).filter(({ kind }) => kind === "file"));
    return fresh;
  }
  const outputOf = (page: string): string => {
    const [output] = blocksOf(page).filter(({ kind }) => kind === "output");
    return output.text;
  };
  const run = (fresh: FreshProject, command: string): Promise<string> =>
    runCommand("sh", ["-c", command], { cwd: fresh.folder, env: registry!.env, timeout: 300_000 });

  test("recipes/vite.md: a worker in Vite's development server computes with threads", async () => {
    const page = "recipes/vite.md";
    const fresh = await project(page, "gradstep", "vite");
    const faults = await fresh.follow([
      { kind: "commands", text: "npx vite build" },
      { kind: "commands", text: "npx vite" },
      { kind: "output", text: outputOf(page) },
    ]);
    expect(faults).toEqual([]);
  });

  test("recipes/github-pages.md: the service worker isolates the page", async () => {
    const page = "recipes/github-pages.md";
    const fresh = new FreshProject(mkdtempSync(join(folder, "static-")), registry!.env, browser!);
    const blocks = blocksOf(page).filter(({ kind }) => kind !== "commands");
    expect(await fresh.follow(blocks)).toEqual([]);
  });

  test("recipes/workers.md: workerd runs the Worker, which answers a request", async () => {
    const page = "recipes/workers.md";
    const fresh = await project(page, "@gradstep/core", "@gradstep/wasm");
    const bundle = ["src/worker.js", "--bundle", "--format=esm", "--external:*.wasm"];
    await runCommand(repositoryCommand("esbuild"), [...bundle, "--outfile=bundle.js"], {
      cwd: fresh.folder,
    });
    const rule = "@gradstep/wasm/rules/adam.wasm";
    copyFileSync(
      join(fresh.folder, "node_modules/@gradstep/wasm/dist/rules/adam.wasm"),
      join(fresh.folder, "adam.wasm"),
    );
    const body = /--data '(.*)'/.exec(JSON.stringify(blocksOf(page)))![1];
    writeFileSync(
      join(fresh.folder, "ask.js"),
      `import worker from "bundle";
export default {
  async test() {
    const request = new Request("http://localhost", { method: "POST", body: ${JSON.stringify(body)} });
    console.log(await (await worker.fetch(request)).text());
  },
};`,
    );
    writeFileSync(
      join(fresh.folder, "config.capnp"),
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  compatibilityDate = "2026-01-01",
  modules = [
    (name = "ask", esModule = embed "ask.js"),
    (name = "bundle", esModule = embed "bundle.js"),
    (name = "${rule}", wasm = embed "adam.wasm"),
  ],
))]);
`,
    );
    const { default: workerd } = createRequire(
      new URL("../../../packages/wasm/package.json", import.meta.url),
    )("workerd") as { default: string };
    expect(await run(fresh, `${workerd} test --verbose config.capnp 2>&1`)).toContain(
      outputOf(page),
    );
  });

  test("recipes/nextjs.md: Next.js builds and serves the page, which trains, and the route", async () => {
    const fresh = await project("recipes/nextjs.md", "gradstep", "next", "react", "react-dom");
    writeFileSync(
      join(fresh.folder, "app/layout.jsx"),
      "export default ({ children }) => <html lang='en'><body>{children}</body></html>;",
    );
    const env = "NEXT_TELEMETRY_DISABLED=1";
    expect(await run(fresh, `${env} npx next build 2>&1`)).toMatch(/\/api\/fit/);
    await fresh.withServer(`${env} npx next start --port 0`, async (address) => {
      expect(await fresh.faultsOfPage(address, "after 300 steps on ")).toEqual([]);
      const { headers } = await fetch(address);
      expect(headers.get("Cross-Origin-Opener-Policy")).toBe("same-origin");
      const body = JSON.stringify({ target: 3 });
      const answer = await fetch(new URL("api/fit", address), { method: "POST", body });
      expect(await answer.json()).toEqual({ fitted: 3 });
    });
    // Installs, builds and starts.
  }, 600_000);

  test("recipes/electron.md: the programs have the types of Electron", async () => {
    const fresh = await project(
      "recipes/electron.md",
      "gradstep",
      "electron",
      "typescript",
      "@types/node@20",
    );
    const options =
      "--strict --noEmit --module nodenext --target es2022 --skipLibCheck --types node";
    expect(await run(fresh, `npx tsc ${options} main.ts train.ts`)).toBe("");
  });
});
