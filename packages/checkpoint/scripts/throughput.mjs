// Saves 16,000,000 parameters with Adam's moments to a file, in turns with a plain write of as many bytes and an fsync.
// Prints medians, their ratio, and the peak of memory above that of the run: node scripts/throughput.mjs [rounds]
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkpointer } from "@gradstep/checkpoint";
import { fileStore } from "@gradstep/checkpoint/files";
import { adam, createOptimizer } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";

const size = 16_000_000;
const rounds = Number(process.argv[2] ?? 7);
const mebi = 2 ** 20;

const directory = await mkdtemp(join(tmpdir(), "gradstep-throughput-"));
const weights = cpuJs().tensor([size]);
const gradient = new Float32Array(size).map((_, i) => Math.sin(i));
const optimizer = createOptimizer(adam(), { weights });
optimizer.step({ weights: gradient });

/** The bytes of parameters and slots. */
const bytes = 3 * 4 * size;
const plain = new Uint8Array(bytes).fill(7);

async function writePlainly() {
  const file = await open(join(directory, "plain"), "w");
  await file.writeFile(plain);
  await file.sync();
  await file.close();
}

const saves = checkpointer(optimizer, { weights }, { store: fileStore(directory), keep: 1 });

async function seconds(run) {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const times = { plain: [], save: [], resume: [] };
await writePlainly();
const before = process.memoryUsage.rss();
let peak = 0;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss() - before);
}, 2);
await saves.save();
clearInterval(watch);
for (let round = 0; round < rounds; round += 1) {
  times.plain.push(await seconds(writePlainly));
  times.save.push(await seconds(() => saves.save()));
  times.resume.push(await seconds(() => saves.resume()));
}
await rm(directory, { recursive: true });
const [plainTime, saveTime, resumeTime] = Object.values(times).map(median);
console.log(`${(bytes / mebi).toFixed(0)} MiB of parameters and slots, medians of ${rounds}`);
console.log(`plain write and fsync ${plainTime.toFixed(3)} s`);
console.log(
  `save ${saveTime.toFixed(3)} s, ${(saveTime / plainTime).toFixed(2)} times a plain write`,
);
console.log(`resume ${resumeTime.toFixed(3)} s, ${(resumeTime / plainTime).toFixed(2)} times`);
console.log(`peak of memory in a save ${(peak / mebi).toFixed(0)} MiB above that before it`);
