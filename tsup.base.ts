import { defineConfig, type Options } from "tsup";

/**
 * A published package: one module in `dist` for each module in `src`, so that with
 * `sideEffects: false` a bundler drops every rule that an app does not import.
 * Types come from `tsc -p tsconfig.build.json`, which runs after this.
 */
export function library(options: Options = {}): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry: ["src/**/*.ts"],
    bundle: false,
    format: "esm",
    target: "es2022",
    dts: false,
    clean: true,
    silent: true,
    ...options,
  });
}

/** A private app: one file at `dist/main.js`; its dependencies stay imports. */
export function app(options: Options = {}): ReturnType<typeof defineConfig> {
  return library({
    entry: ["src/main.ts"],
    bundle: true,
    platform: "node",
    target: "node20",
    ...options,
  });
}
