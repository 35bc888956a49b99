import {
  GradstepError,
  hasNames,
  show,
  type GroupOptions,
  type Match,
  type OptimizerConfig,
  type OptimizerSpec,
  type Rule,
  type StepControlOptions,
} from "@gradstep/core";
import { isArray, propertyOf } from "@gradstep/core/internal";
import { optimizerByName } from "@gradstep/core/by-name";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import type { serialization } from "@tensorflow/tfjs-core";

/** Custom rules, and chains with custom parts, by name: known once an optimizer was made with them. */
const customRules = new Map<string, Rule>();

const builtInNames: ReadonlySet<string> = new Set([...rules, ...stages].map(({ name }) => name));

/** Makes custom rules of an optimizer known to `specOfConfig`. */
export function rememberRules(
  { rule, groups }: OptimizerSpec,
  options: readonly GroupOptions[] = [],
): void {
  const isBuiltIn = rule.name.split("+").every((part) => builtInNames.has(part));
  if (!isBuiltIn) customRules.set(rule.name, rule);
  for (const group of [...groups, ...options])
    if (group.rule !== undefined) rememberRules(group.rule);
}

/** The configuration of an optimizer, as `model.save` writes it. */
export function configDict(
  { name, settings, groups, structural, ...control }: OptimizerConfig,
  given: readonly GroupOptions[],
  inPlace: boolean,
): serialization.ConfigDict {
  const written = groups.map(({ match, ...own }, i) => ({
    match: writeMatch(given[i].match, match as string[]),
    ...own,
  }));
  return {
    rule: escape(name),
    settings: escapeAll(settings),
    groups: escapeAll(written),
    ...(structural !== undefined && { structural: escapeAll(structural) }),
    ...(Object.keys(control).length > 0 && { control: escapeAll(control) }),
    inPlace,
  } as serialization.ConfigDict;
}

/**
 * The spec and the options that `configDict` wrote.
 * @throws {GradstepError} `UNKNOWN_RULE`, `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function specOfConfig(config: serialization.ConfigDict): {
  spec: OptimizerSpec;
  inPlace: boolean;
} {
  const written = (key: string): unknown => propertyOf(config, key);
  const rule = written("rule");
  const name = typeof rule === "string" ? unescape(rule) : show(rule);
  const settings = unescapeAll(written("settings") ?? {}) as OptimizerConfig["settings"];
  const groups = unescapeAll(written("groups") ?? []);
  if (!isArray(groups) || !groups.every(isWrittenGroup)) {
    throw new GradstepError(
      `The configuration's groups are ${show(groups)}; expected what getConfig() gives.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  const control = unescapeAll(written("control"));
  const structural = unescapeAll(written("structural")) as readonly string[] | undefined;
  const read = groups.map(({ match, ...own }) => ({ match: readMatch(match), ...own }));
  return {
    spec: specByName({
      name,
      settings,
      groups: read,
      ...(structural !== undefined && { structural }),
      ...(hasNames(control) && (control as StepControlOptions)),
    }),
    inPlace: written("inPlace") !== false,
  };
}

/** @throws {GradstepError} as `specOfConfig` does */
function specByName(config: OptimizerConfig): OptimizerSpec {
  try {
    return optimizerByName(config, {}, [...customRules.values()]);
  } catch (error) {
    if (!(error instanceof GradstepError) || error.code !== "UNKNOWN_RULE") throw error;
    throw new GradstepError(
      `The saved model was trained with the rule "${config.name}", which is not known here. Call tfOptimizer() with that rule once before loading. ${error.message}`,
      { code: "UNKNOWN_RULE", cause: error },
    );
  }
}

type WrittenMatch =
  | { readonly names: readonly string[] }
  | { readonly pattern: string; readonly flags: string };

function isWrittenGroup(group: unknown): group is { match: WrittenMatch } {
  const match = propertyOf(group, "match");
  return isArray(propertyOf(match, "names")) || typeof propertyOf(match, "pattern") === "string";
}

/** A function cannot be saved; the names that it has matched so far are saved in its place. */
function writeMatch(match: Match, names: readonly string[]): WrittenMatch {
  if (match instanceof RegExp) return { pattern: match.source, flags: match.flags };
  if (typeof match === "function") return { names };
  return { names: typeof match === "string" ? [match] : match };
}

function readMatch(match: WrittenMatch): Match {
  if (!("pattern" in match)) return match.names;
  try {
    return new RegExp(match.pattern, match.flags);
  } catch (cause) {
    throw new GradstepError(
      `The configuration has a group for ${JSON.stringify(match)}; expected a regular expression, as getConfig() gives it.`,
      { code: "UNKNOWN_OPTION", cause },
    );
  }
}

// TF.js converts "_" to camel case in a configuration that it loads, in keys and values. Escaped names survive that.
const escape = (text: string): string => text.replaceAll("%", "%25").replaceAll("_", "%5F");
const unescape = (text: string): string => text.replaceAll("%5F", "_").replaceAll("%25", "%");
const escapeAll = (value: unknown): unknown => mapStrings(value, escape);
const unescapeAll = (value: unknown): unknown => mapStrings(value, unescape);

function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (isArray(value)) return value.map((item) => mapStrings(item, change));
  if (!hasNames(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [change(key), mapStrings(item, change)]),
  );
}
