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

function printHeading(title: string, text: string, { print, paint, columns }: Screen): void {
  print(paint.bold(title));
  for (const line of wrap(text, columns)) print(paint.dim(line));
  print();
}

function printRule(
  { summary, hyperparameters, options, learningRate }: ListedRule,
  title: string,
  screen: Screen,
): void {
  const { print, paint } = screen;
  print(paint.cyan(title));
  printIndented(summary, screen);
  const values = [
    ...Object.entries(hyperparameters).map(([name, range]) => `${name}=${range.default}`),
    ...Object.entries(options).map(([name, choices]) => `${name}=${choices.join("|")}`),
  ];
  if (values.length > 0) printIndented(values.join(" "), screen, paint.dim);
  if (learningRate !== null)
    printIndented(`here: --learning-rate ${learningRate}`, screen, paint.dim);
  print();
}

function printSchedule(
  { function: name, summary, parameters }: ListedSchedule,
  screen: Screen,
): void {
  const { print, paint } = screen;
  for (const line of wrap(`${name}(${parameters.join(", ")})`, screen.columns))
    print(paint.cyan(line));
  printIndented(summary, screen);
  print();
}

function printIndented(
  text: string,
  { print, columns }: Screen,
  paint: (line: string) => string = String,
): void {
  const plain = text.replaceAll("`", "");
  for (const line of wrap(plain, columns - indent.length)) print(paint(indent + line));
}
