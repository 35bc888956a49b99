// Writes the pages of the reference to content/reference, and their list to src/generated: the task `reference`.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Rule } from "@gradstep/core";
import { initialSchedule, scheduleOf } from "../src/controls/schedule-kinds.js";
import { scheduleChart } from "../src/reference/charts/schedule-chart.js";
import { lossChart } from "../src/reference/charts/loss-chart.js";
import { raceChart } from "../src/reference/charts/race-chart.js";
import { pathChart } from "../src/reference/charts/path-chart.js";
import { stageChart } from "../src/reference/charts/stage-chart.js";
import type { Pictures } from "../src/reference/charts/render.js";
import { bestPath } from "../src/reference/charts/valley.js";
import { ruleEntries, scheduleEntries, stageEntries } from "../src/reference/entries.js";
import { goldenRuns } from "../src/reference/golden-runs.js";
import {
  referencePage,
  rulesPage,
  stagesByPlace,
  stagesPage,
} from "../src/reference/pages/index-pages.js";
import { rulePage } from "../src/reference/pages/rule-page.js";
import { drawn, schedulePage, schedulesPage } from "../src/reference/pages/schedule-page.js";
import { stagePage } from "../src/reference/pages/stage-page.js";
import { stageBounds } from "../src/reference/stages/stage-bounds.js";
import { constraintRuns } from "../src/reference/stages/tfjs-constraints.js";
import { folder, type SidebarEntry } from "../src/reference/sidebar.js";

const site = new URL("..", import.meta.url);

function write(path: string, text: string): void {
  const file = fileURLToPath(new URL(path, site));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function writePictures(path: string, pictures: Pictures): void {
  for (const [theme, svg] of Object.entries(pictures)) write(`${path}-${theme}.svg`, svg);
}

for (const path of ["rules", "stages", "schedules"])
  rmSync(new URL(`content/reference/${path}`, site), { recursive: true, force: true });

const rules = ruleEntries();
const stages = stageEntries();
const runs = await goldenRuns();

const ruleNamed = (name: string): Rule => rules.find(({ rule }) => rule.name === name)!.rule;
const momentum = bestPath(ruleNamed("sgd"), { momentum: 0.9 });
const adam = bestPath(ruleNamed("adam"));
const rivals = [
  { name: "momentum", path: momentum },
  { name: "Adam", path: adam },
];
const racers = [
  { name: "SGD", path: bestPath(ruleNamed("sgd")) },
  { name: "momentum", path: momentum },
  { name: "Adam", path: adam },
  { name: "Lion", path: bestPath(ruleNamed("lion")) },
];
writePictures("content/reference/pictures/race", await raceChart(racers));
for (const { rule, ...entry } of rules) {
  const path = bestPath(rule);
  const picture = `content/reference/rules/pictures/${rule.name}`;
  writePictures(`${picture}-path`, await pathChart(path));
  const others = rivals.filter(({ name }) => name !== entry.title);
  writePictures(`${picture}-loss`, await lossChart([{ name: entry.title, path }, ...others]));
  const text = rulePage(rule, { ...entry, runs }, path.learningRate);
  write(`content/reference/rules/${rule.name}.md`, text);
}
for (const { rule: stage, ...entry } of stages) {
  const effect = entry.effect();
  writePictures(`content/reference/stages/pictures/${stage.name}`, await stageChart(effect));
  const text = stagePage(stage, {
    ...entry,
    runs,
    caption: effect.caption,
    bounds: await stageBounds(stage),
    constraintRuns: await constraintRuns(stage, entry.counterparts),
  });
  write(`content/reference/stages/${stage.name}.md`, text);
}

const schedules = scheduleEntries();
for (const entry of schedules) {
  const { kind } = entry;
  const schedule = scheduleOf(initialSchedule(kind, drawn.value, drawn.steps));
  const chart = await scheduleChart(schedule, drawn.steps);
  writePictures(`content/reference/schedules/pictures/${kind.name}`, chart);
  write(`content/reference/schedules/${kind.name}.md`, schedulePage(entry));
}
write("content/reference/schedules/index.md", schedulesPage(schedules));

write("content/reference/rules/index.md", rulesPage(rules));
write("content/reference/stages/index.md", stagesPage(stages));
write("content/reference/index.md", referencePage());
write("src/generated/stages-by-place.md", stagesByPlace(stages));

const named = (entries: readonly { readonly title: string; readonly rule: Rule }[]) =>
  entries.map(({ title, rule }) => ({ title, name: rule.name }));
const sidebar: readonly SidebarEntry[] = [
  { text: "Reference", link: "/reference/" },
  folder("Optimizers", "rules", named(rules)),
  folder("Stages", "stages", named(stages)),
  folder(
    "Schedules",
    "schedules",
    schedules.map(({ kind: { title, name } }) => ({ title, name })),
  ),
];
write("src/generated/reference-sidebar.json", `${JSON.stringify(sidebar, null, 2)}\n`);
