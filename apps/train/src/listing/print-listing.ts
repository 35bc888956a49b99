import { wrap } from "../../../shared/src/command-line.mjs";
import type { Screen } from "../terminal/screen.js";
import type { ListedRule, ListedSchedule, Listing } from "./listing.js";

const indent = "  ";

/** Prints the rules, stages and schedules, each with its arguments and their defaults. */
export function printListing({ rules, stages, schedules }: Listing, screen: Screen): void {
  printHeading("Rules", "name=default, and name=default|other for options", screen);
  for (const rule of rules) printRule(rule, rule.name, screen);
  printHeading(
    "Stages",
    "parts of a chain: chain(clipByGlobalNorm(1), adamw(), ema(0.999))",
    screen,
  );
  for (const stage of stages) printRule(stage, stage.function, screen);
  printHeading(
    "Schedules",
    "of the learning rate: --schedule; in code, of any hyperparameter",
    screen,
  );
  for (const schedule of schedules) printSchedule(schedule, screen);
}

function printHeading(title: string, text: string, screen: Screen): void {
  const { paint } = screen;
  screen.print(paint.bold(title));
  for (const line of wrap(text, screen.columns)) screen.print(paint.dim(line));
  screen.print();
}

function printRule(
  { summary, hyperparameters, options, learningRate }: ListedRule,
  title: string,
  screen: Screen,
): void {
  const { paint } = screen;
  screen.print(paint.cyan(title));
  printIndented(summary, screen);
  const numbers = Object.entries(hyperparameters)
    .sort(([a], [b]) => Number(b === "learningRate") - Number(a === "learningRate"))
    .map(([name, range]) => `${name}=${range.default}`);
  const choices = Object.entries(options).map(([name, values]) => `${name}=${values.join("|")}`);
  for (const line of [numbers, choices])
    if (line.length > 0) printIndented(line.join(" "), screen, paint.dim);
  if (learningRate !== null)
    printIndented(`in the trainer: --learning-rate ${learningRate}`, screen, paint.dim);
  screen.print();
}

function printSchedule(
  { function: name, summary, parameters }: ListedSchedule,
  screen: Screen,
): void {
  const { paint } = screen;
  for (const line of wrap(`${name}(${parameters.join(", ")})`, screen.columns))
    screen.print(paint.cyan(line));
  printIndented(summary, screen);
  screen.print();
}

function printIndented(
  text: string,
  screen: Screen,
  paint: (line: string) => string = String,
): void {
  for (const line of wrap(text, screen.columns - indent.length)) screen.print(paint(indent + line));
}
