import type { ScheduleOption } from "@gradstep/core";
import { backendNames, type BackendName } from "../backends/browser-backends.js";
import type { SettingValue } from "../controls/hyperparameter-controls.js";
import type { Runner, RunnerPart } from "./runner.js";

/**
 * Runners as a short text for a query string:
 * `adam(learningRate:0.1);clip-by-norm(clipNorm:1)~sgd(learningRate:linear(from:0.1,to:0,steps:50))@wasm`.
 */
export function formatRunners(runners: readonly Runner[]): string {
  return runners.map(formatRunner).join(";");
}

function formatRunner({ parts, backend }: Runner): string {
  const chain = parts.map(({ name, settings }) => `${name}${formatArguments(settings)}`).join("~");
  return backend === undefined ? chain : `${chain}@${backend}`;
}

function formatArguments(values: Readonly<Record<string, SettingValue | ScheduleOption>>): string {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return "";
  return `(${entries.map(([name, value]) => `${name}:${formatValue(value!)}`).join(",")})`;
}

function formatValue(value: NonNullable<SettingValue | ScheduleOption>): string {
  if (typeof value !== "object") return String(value);
  if ("schedule" in value) return `${value.schedule}${formatArguments(value.options)}`;
  return `[${value.map((one) => formatValue(one!)).join(",")}]`;
}

const lexeme = /([\w.+-]+)|([()[\],:;~@])/y;

/**
 * The runners of a text.
 * @throws {Error} if it is not such a text; names are not checked
 */
export function parseRunners(text: string): readonly Runner[] {
  const tokens: string[] = [];
  lexeme.lastIndex = 0;
  while (lexeme.lastIndex < text.length) {
    const at = lexeme.lastIndex;
    const match = lexeme.exec(text);
    if (match === null) throw new Error(`Runners: got ${JSON.stringify(text[at])} at ${at + 1}.`);
    tokens.push(match[0]);
  }
  let next = 0;
  const take = (token: string): boolean => {
    if (tokens[next] !== token) return false;
    next += 1;
    return true;
  };
  const word = (): string => {
    const token = tokens[next];
    if (token === undefined || !/^[\w.+-]/.test(token))
      throw new Error(
        `Runners: got ${JSON.stringify(token ?? "the end")}; expected a name or a value.`,
      );
    next += 1;
    return token;
  };
  const expect = (token: string): void => {
    if (!take(token))
      throw new Error(
        `Runners: got ${JSON.stringify(tokens[next] ?? "the end")}; expected ${JSON.stringify(token)}.`,
      );
  };
  const list = <T>(end: string, item: () => T): T[] => {
    const items: T[] = [];
    if (take(end)) return items;
    do items.push(item());
    while (take(","));
    expect(end);
    return items;
  };
  const value = (): Exclude<ScheduleOption, undefined> => {
    if (take("[")) return list("]", value);
    const one = word();
    if (take("(")) return { schedule: one, options: settings() };
    if (one === "true" || one === "false") return one === "true";
    const number = Number(one);
    return Number.isNaN(number) ? one : number;
  };
  const settings = (): Record<string, Exclude<ScheduleOption, undefined>> =>
    Object.fromEntries(
      list(")", () => {
        const name = word();
        expect(":");
        return [name, value()] as const;
      }),
    );
  const part = (): RunnerPart => ({
    name: word(),
    settings: take("(") ? (settings() as RunnerPart["settings"]) : {},
  });
  const runner = (): Runner => {
    const parts = [part()];
    while (take("~")) parts.push(part());
    if (!take("@")) return { parts };
    const name = word();
    const backend = backendNames.find((one): one is BackendName => one === name);
    if (backend === undefined)
      throw new Error(`Runners: there is no backend ${JSON.stringify(name)}.`);
    return { parts, backend };
  };
  if (tokens.length === 0) return [];
  const runners = [runner()];
  while (take(";")) runners.push(runner());
  if (next < tokens.length)
    throw new Error(`Runners: got ${JSON.stringify(tokens[next])}; expected ";" or the end.`);
  return runners;
}
