import { backendTitles } from "../backends/browser-backends.js";
import type { Runner } from "./runner.js";

/**
 * Short names for runners: the names of their parts, and, where two would be the same, the settings in which they differ.
 */
export function runnerLabels(runners: readonly Runner[]): readonly string[] {
  const names = runners.map(({ parts }) => parts.map(({ name }) => name).join(" + "));
  return runners.map((runner, i) => {
    const same = runners.filter((_, j) => j !== i && names[j] === names[i]);
    const words = same.length === 0 ? [] : differences(runner, same);
    const backend = runner.backend === undefined ? [] : [backendTitles[runner.backend]];
    return [names[i], ...words, ...backend].join(", ");
  });
}

/** The settings of a runner that another one of the same parts does not have. */
function differences({ parts }: Runner, others: readonly Runner[]): readonly string[] {
  return parts.flatMap(({ settings }, i) =>
    Object.entries(settings)
      .filter(([name, value]) =>
        others.some(
          (other) => JSON.stringify(other.parts[i].settings[name]) !== JSON.stringify(value),
        ),
      )
      .map(([name, value]) => {
        if (value === true) return name;
        const text = typeof value === "object" ? value.schedule : String(value);
        return `${name} ${text}`;
      }),
  );
}
