import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand } from "./command.js";
import { startLocalServer } from "./local-server.js";

/** A package registry on this machine. */
export interface Registry {
  readonly url: string;
  /** What an `.npmrc` needs to publish to it. */
  readonly npmrc: string;
  /** From where npm installs: sends it here for gradstep's packages, and to the registry it is configured with for others. */
  readonly installUrl: string;
  /** The tarball of a package as it was published. */
  tarball(name: string, version: string): string;
  stop(): void;
}

/** Starts verdaccio on the loopback interface, with its files in `folder`. gradstep's packages come from it alone. */
export async function startRegistry(folder: string): Promise<Registry> {
  mkdirSync(folder, { recursive: true });
  const upstream = await configuredRegistry();
  const url = `http://127.0.0.1:${await freePort()}`;
  const storage = join(folder, "storage");
  const config = join(folder, "config.yaml");
  // JSON is YAML.
  writeFileSync(
    config,
    JSON.stringify({
      storage,
      auth: { htpasswd: { file: join(folder, "htpasswd") } },
      uplinks: { upstream: { url: upstream, timeout: "60s", max_fails: 10 } },
      packages: {
        gradstep: { access: "$all", publish: "$authenticated" },
        "@gradstep/*": { access: "$all", publish: "$authenticated" },
        "**": { access: "$all", proxy: "upstream" },
      },
      web: { enable: false },
      max_body_size: "50mb",
      log: { type: "file", path: join(folder, "log.txt"), level: "warn" },
    }),
  );
  const server = spawn(process.execPath, [program(), "--config", config, "--listen", url], {
    stdio: "ignore",
  });
  const stop = (): void => {
    server.kill();
  };
  process.once("exit", stop);
  await untilAnswering(url, server);
  const token = await newUser(url);
  const isOwn = (path: string): boolean => /^\/(?:gradstep|@gradstep%2f[\w-]+)$/i.test(path);
  // Sends npm on, which is faster than fetching for it: verdaccio reads all that is known of a package.
  const redirecting = await startLocalServer(({ url: path = "/" }, response) => {
    const location = (isOwn(path) ? `${url}/` : upstream) + path.slice(1);
    response.writeHead(302, { location }).end();
  });
  return {
    url,
    npmrc: `registry=${url}/\n${url.slice("http:".length)}/:_authToken=${token}\n`,
    installUrl: redirecting.url,
    tarball: (name, version) => join(storage, name, `${name.replace(/^.*\//, "")}-${version}.tgz`),
    stop,
  };
}

/** The registry that npm is configured with; ends with a slash. */
export async function configuredRegistry(): Promise<string> {
  const url = (await runCommand("npm", ["config", "get", "registry"])).trim();
  return url.endsWith("/") ? url : `${url}/`;
}

function program(): string {
  return join(
    dirname(createRequire(import.meta.url).resolve("verdaccio/package.json")),
    "bin/verdaccio",
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  });
}

async function untilAnswering(url: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (server.exitCode !== null)
      throw new Error(`verdaccio ended with exit status ${server.exitCode}.`);
    try {
      if ((await fetch(`${url}/-/ping`)).ok) return;
    } catch {
      // It does not listen yet.
    }
    await sleep(100);
  }
  throw new Error("verdaccio did not answer within 30 seconds.");
}

async function newUser(url: string): Promise<string> {
  const response = await fetch(`${url}/-/user/org.couchdb.user:rehearsal`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "rehearsal", password: crypto.randomUUID() }),
  });
  const { token } = (await response.json()) as { token?: string };
  if (token === undefined) throw new Error(`verdaccio made no user: ${response.status}.`);
  return token;
}
