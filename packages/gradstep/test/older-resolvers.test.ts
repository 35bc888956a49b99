import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

interface Manifest {
  readonly name: string;
  readonly main: string;
  readonly types: string;
  readonly alias?: Readonly<Record<string, string>>;
  readonly typesVersions?: { readonly "*": Readonly<Record<string, readonly string[]>> };
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
}

const packages = new URL("../../", import.meta.url);
const manifests = readdirSync(packages).map(
  (folder) =>
    JSON.parse(readFileSync(new URL(`${folder}/package.json`, packages), "utf8")) as Manifest,
);

// Parcel does not look at exports by default, and TypeScript does not with moduleResolution node10.
describe.each(manifests)("resolvers that ignore exports find $name", (manifest) => {
  const { ".": whole, ...others } = manifest.exports;
  const subpaths = Object.entries(others);

  test("under its name", () => {
    expect(manifest).toMatchObject({ main: whole.default, types: whole.types });
  });

  test("and each of its subpaths", () => {
    // Parcel's name of what the * stands for.
    const aliases = subpaths.map(([path, target]) => [path, target.default.replace("*", "$1")]);
    expect(manifest.alias ?? {}).toEqual(Object.fromEntries(aliases));
    const types = subpaths.map(([path, target]) => [path.slice(2), [target.types]]);
    expect(manifest.typesVersions?.["*"] ?? {}).toEqual(Object.fromEntries(types));
  });
});
