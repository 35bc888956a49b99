import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";
import webpack from "webpack";

/** Makes a page of the program in `project`, in the folder `page` of that. A warning is an error. */
export type Bundler = (project: string, page: string) => Promise<void>;

const program = "page.js";

export const bundlers: Readonly<Record<string, Bundler>> = {
  Vite: async (project, page) => {
    const warnings: string[] = [];
    const root = join(project, `${page}-source`);
    writePage(root, `<script type="module" src="../${program}"></script>`);
    await vite({
      root,
      base: "./",
      configFile: false,
      logLevel: "warn",
      customLogger: {
        info() {},
        warn: (message) => warnings.push(message),
        warnOnce: (message) => warnings.push(message),
        error: (message) => warnings.push(message),
        clearScreen() {},
        hasErrorLogged: () => false,
        hasWarned: false,
      },
      // The page has all backends and rules; sizes have a check of their own.
      build: { outDir: join(project, page), emptyOutDir: true, chunkSizeWarningLimit: Infinity },
    });
    throwThem(warnings);
  },

  webpack: async (project, page) => {
    const outDir = join(project, page);
    const stats = await new Promise<webpack.Stats>((resolve, reject) => {
      webpack(
        {
          mode: "production",
          context: project,
          entry: `./${program}`,
          output: { path: outDir, filename: "main.js", publicPath: "auto" },
          performance: false,
        },
        (error, result) => {
          if (error !== null) reject(error);
          else resolve(result!);
        },
      );
    });
    const { errors = [], warnings = [] } = stats.toJson({ errors: true, warnings: true });
    throwThem([...errors, ...warnings].map(({ message }) => message));
    writePage(outDir, '<script defer src="main.js"></script>');
  },

  esbuild: async (project, page) => {
    const outDir = join(project, page);
    const { warnings } = await esbuild({
      entryPoints: [join(project, program)],
      outdir: outDir,
      bundle: true,
      splitting: true,
      minify: true,
      format: "esm",
      logLevel: "silent",
    });
    throwThem(warnings.map(({ text }) => text));
    writePage(outDir, `<script type="module" src="${program}"></script>`);
  },

  "an import map": (project, page) => {
    const imports: Record<string, string> = {};
    for (const name of [
      "gradstep",
      "@gradstep/core",
      "@gradstep/cpu-js",
      "@gradstep/wasm",
      "@gradstep/webgpu",
    ]) {
      const folder = join(project, "node_modules", name);
      const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        exports: Record<string, { default: string }>;
      };
      for (const [subpath, { default: file }] of Object.entries(exports)) {
        const url = `../${relative(project, join(folder, file))}`;
        if (!subpath.includes("*")) imports[join(name, subpath)] = url;
      }
    }
    writePage(
      join(project, page),
      `<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="../${program}"></script>`,
    );
    return Promise.resolve();
  },
};

function writePage(folder: string, scripts: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html>\n<meta charset="utf-8">\n<link rel="icon" href="data:,">\n<title>Rehearsal</title>\n${scripts}\n`,
  );
}

function throwThem(warnings: readonly string[]): void {
  if (warnings.length > 0) throw new Error(warnings.join("\n"));
}

/** The program for workerd as one module; `*.wasm` stays an import, which only the runtime understands. */
export async function bundleWorker(project: string, outFile: string): Promise<void> {
  mkdirSync(dirname(outFile), { recursive: true });
  const { warnings } = await esbuild({
    entryPoints: [join(project, "worker.js")],
    outfile: outFile,
    bundle: true,
    format: "esm",
    external: ["*.wasm"],
    logLevel: "silent",
  });
  throwThem(warnings.map(({ text }) => text));
}
