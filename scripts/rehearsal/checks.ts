import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryCommand, runCommand, runNpmCommand } from "./command.js";

/** Another promise of the packages. */
export interface Check {
  readonly title: string;
  readonly run: () => Promise<unknown>;
}

/** The newest TypeScript, and the oldest that the packages support. */
const compilers = {
  "TypeScript 7": (config: string) => runCommand(repositoryCommand("tsc"), ["--project", config]),
  "TypeScript 5.7": (config: string) =>
    runNpmCommand("typescript@5.7", ["tsc", "--project", config]),
};

const compilerOptions = {
  target: "es2022",
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
  types: [],
};

const resolutions = {
  node10: { module: "esnext", moduleResolution: "node10" },
  node16: { module: "node16", moduleResolution: "node16" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};

/** Strict compilation of one of the programs, the packages' own declarations included. */
function typeCheck(
  project: string,
  file: string,
  lib: readonly string[],
  compiler: keyof typeof compilers,
  resolution: keyof typeof resolutions,
): Check {
  return {
    title: `${compiler}, moduleResolution ${resolution}, lib ${lib.join(" and ")}: ${file}`,
    async run() {
      const config = join(project, `tsconfig.${resolution}.json`);
      const options = { ...compilerOptions, ...resolutions[resolution], lib };
      writeFileSync(config, JSON.stringify({ compilerOptions: options, files: [file] }));
      await compilers[compiler](config);
    },
  };
}

/** What else must hold of the packages in `project`. */
export function checks(project: string): Check[] {
  const [withoutDom, withDom] = [["es2022"], ["es2022", "dom"]];
  return [
    typeCheck(project, "core-types.ts", withoutDom, "TypeScript 7", "node16"),
    typeCheck(project, "core-types.ts", withoutDom, "TypeScript 7", "bundler"),
    typeCheck(project, "core-types.ts", withoutDom, "TypeScript 5.7", "node16"),
    typeCheck(project, "core-types.ts", withoutDom, "TypeScript 5.7", "bundler"),
    typeCheck(project, "core-types.ts", withoutDom, "TypeScript 5.7", "node10"),
    typeCheck(project, "webgpu-types.ts", withDom, "TypeScript 7", "node16"),
    typeCheck(project, "webgpu-types.ts", withDom, "TypeScript 7", "bundler"),
    {
      title: "@gradstep/tfjs replaces tf.train.adam",
      run: () => runCommand(process.execPath, ["tfjs.js"], { cwd: project }),
    },
    {
      title: "gradstep doctor",
      run: () =>
        runCommand(
          process.execPath,
          ["node_modules/gradstep/dist/cli.js", "doctor", "--cases", "1", "--no-speed"],
          { cwd: project },
        ),
    },
    {
      title: "gradstep-conformance verify wasm",
      run: () =>
        runCommand(
          process.execPath,
          ["node_modules/@gradstep/conformance/dist/cli.js", "verify", "wasm", "--cases", "20"],
          { cwd: project },
        ),
    },
  ];
}
