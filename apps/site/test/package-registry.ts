import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { filesOfTar } from "../../../packages/webgpu/src/node/tar-archive.js";
import { runCommand, withoutNpmSettings } from "../../../scripts/rehearsal/command.js";
import { startLocalServer, type LocalServer } from "../../../scripts/rehearsal/local-server.js";
import { configuredRegistry } from "../../../scripts/rehearsal/registry.js";

const repository = fileURLToPath(new URL("../../../", import.meta.url));

/** A registry on this machine that has the packages of this repository, as they would be published. */
export interface PackageRegistry {
  /** The environment in which npm installs from it. */
  readonly env: NodeJS.ProcessEnv;
  stop(): void;
}

/**
 * Packs what is built, into `folder`, and answers for these packages; npm is sent to the registry that it is configured
 * with for all others.
 */
export async function startPackageRegistry(folder: string): Promise<PackageRegistry> {
  const [tarballs, upstream] = await Promise.all([pack(folder), configuredRegistry()]);
  const manifests = new Map(tarballs.map((path) => [manifestOf(path).name, path]));
  const server: LocalServer = await startLocalServer(({ url = "/" }, response) => {
    const name = decodeURIComponent(url.slice(1));
    const asked = tarballs.find((path) => basename(path) === name);
    const path = manifests.get(name);
    if (asked !== undefined) response.end(readFileSync(asked));
    else if (path !== undefined) answer(response, path, server.url);
    else response.writeHead(302, { location: upstream + url.slice(1) }).end();
  });
  const npmrc = join(folder, "npmrc");
  writeFileSync(
    npmrc,
    `registry=${server.url}
cache=${join(folder, "npm-cache")}
audit=false
fund=false
update-notifier=false
`,
  );
  const env: NodeJS.ProcessEnv = {
    ...withoutNpmSettings(),
    npm_config_userconfig: npmrc,
    NO_COLOR: "1",
  };
  return { env, stop: () => server.stop() };
}

/** The tarballs of all packages. */
async function pack(folder: string): Promise<readonly string[]> {
  const packed = await runCommand(
    "pnpm",
    [
      "--recursive",
      "--filter=./packages/*",
      "pack",
      "--pack-destination",
      folder,
      "--json",
      "--config.ignore-scripts=true",
    ],
    { cwd: repository },
  );
  const all = JSON.parse(packed) as readonly { readonly filename: string }[];
  return all
    .map(({ filename }) => filename)
    .filter((path) => !(manifestOf(path) as { private?: boolean }).private);
}

interface Manifest {
  readonly name: string;
  readonly version: string;
}

function manifestOf(tarball: string): Manifest {
  const files = filesOfTar(gunzipSync(readFileSync(tarball)));
  const { bytes } = files.find(({ name }) => name === "package/package.json")!;
  return JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
}

/** What a registry says about a package that has one version. */
function answer(response: ServerResponse, tarball: string, registry: string): void {
  const manifest = manifestOf(tarball);
  const { name, version } = manifest;
  const sha512 = createHash("sha512").update(readFileSync(tarball)).digest("base64");
  const dist = { tarball: `${registry}${basename(tarball)}`, integrity: `sha512-${sha512}` };
  response.writeHead(200, { "content-type": "application/json" }).end(
    JSON.stringify({
      name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, dist } },
    }),
  );
}
