// Everything that a release does, short of uploading: build, pack, check what was packed, dry-run the publish.
// The packed packages stay in .release/, which git ignores.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { exitStatus } from "./with-pnpm.mjs";

const folder = ".release";

function run(command, ...args) {
  console.log(`\n$ ${command} ${args.join(" ")}`);
  const { error, status, signal } = spawnSync(command, args, {
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (error) throw error;
  if (status !== 0) process.exit(exitStatus(status, signal));
}

const published = readdirSync("packages").filter(
  (name) => !JSON.parse(readFileSync(`packages/${name}/package.json`, "utf8")).private,
);

run("pnpm", "build");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const name of published) {
  run("pnpm", "--dir", `packages/${name}`, "pack", "--pack-destination", `../../${folder}`);
}
for (const tarball of readdirSync(folder)) {
  run("publint", "run", `${folder}/${tarball}`, "--strict");
  run("attw", `${folder}/${tarball}`, "--profile", "esm-only");
}
run("pnpm", "--recursive", "publish", "--dry-run", "--no-git-checks");
console.log(
  `\n${published.length} packages built, checked and packed into ${folder}/; nothing was uploaded.`,
);
