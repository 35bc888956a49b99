import type { Rule } from "@gradstep/core";

/** The texts of a rule or stage with its default options, as core compiles them. */
export function ruleText(rule: Rule): string {
  const { perStep, perElement } = rule.texts();
  const own = (
    sources: readonly { readonly text: string; readonly isCommon?: boolean }[],
  ): string =>
    sources
      .filter(({ isCommon }) => isCommon !== true)
      .map(({ text }) => withoutIndent(text))
      .join("\n");
  const [step, element] = [own(perStep), own(perElement)];
  return [
    ...(step === "" ? [] : ["Once per step, in f64:", fenced(step)]),
    "For each element, in f32, in this order:",
    fenced(element),
  ].join("\n\n");
}

function withoutIndent(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => line.trim()).join("\n");
}

function fenced(text: string): string {
  return `\`\`\`js\n${text}\n\`\`\``;
}
