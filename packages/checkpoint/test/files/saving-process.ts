// Saves checkpoints into a directory until it is killed; keeps the newest three.
// Writes to stdout: "saved <id>" when a write has resolved, "remove <id>" before it removes.
// Parameters: the directory, a seed, a file for the running call, the call in which it kills itself.
import { openSync, writeSync } from "node:fs";
import * as platform from "node:fs/promises";
import { encodeSafetensors } from "../../src/safetensors/index.js";
import { fileStoreOn } from "../../src/stores/files/file-store.js";

const [directory = "", seed, callFile = "", lastCall] = process.argv.slice(2);
const callHandle = openSync(callFile, "w");

/** Makes a call, and says so in the file meanwhile. */
async function during<T>(name: string, call: () => Promise<T>): Promise<T> {
  writeSync(callHandle, name.padEnd(20), 0);
  const result = call();
  if (name === lastCall) process.kill(process.pid, "SIGKILL");
  try {
    return await result;
  } finally {
    writeSync(callHandle, "between calls".padEnd(20), 0);
  }
}

const store = fileStoreOn(
  {
    mkdir: (path) => during("mkdir", () => platform.mkdir(path)),
    readdir: (...parameters) => during("readdir", () => platform.readdir(...parameters)),
    stat: (path) => during("stat", () => platform.stat(path)),
    rename: (from, to) => during("rename", () => platform.rename(from, to)),
    unlink: (path) => during("unlink", () => platform.unlink(path)),
    async open(path, flags) {
      const prefix = flags === "r" ? "directory " : "";
      const file = await during(`${prefix}open`, () => platform.open(path, flags));
      return {
        write: (...parameters) => during("write", () => file.write(...parameters)),
        read: (...parameters) => during("read", () => file.read(...parameters)),
        sync: () => during(`${prefix}sync`, () => file.sync()),
        close: () => during(`${prefix}close`, () => file.close()),
      };
    },
  },
  directory,
);

let random = Number(seed);
function nextRandom(): number {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
  return random / 2 ** 32;
}

async function saveForEver(): Promise<never> {
  for (let count = 1; ; count++) {
    // 1 KB to 4 MB, small ones as often as large ones; small ones if each call is looked at.
    const length = lastCall === undefined ? 256 * 4096 ** nextRandom() : 256;
    const data = new Float32Array(length).fill(count);
    const values = { dtype: "F32", shape: [data.length], data } as const;
    const id = await store.write(
      encodeSafetensors(new Map([["values", values]]), { digest: true }),
    );
    writeSync(1, `saved ${id}\n`);
    for (const old of (await store.list()).slice(0, -3)) {
      writeSync(1, `remove ${old}\n`);
      await store.remove(old);
    }
  }
}

process.stdin.once("data", () => void saveForEver());
writeSync(1, "ready\n");
