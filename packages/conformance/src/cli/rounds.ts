import { addStats } from "../checker/check-stats.js";
import type { SuiteOptions } from "../suite/options.js";
import {
  verify,
  type CheckResult,
  type Report,
  type VerifyOptions,
  type VerifyProgress,
} from "../suite/verify.js";

/** The results of several rounds. */
export interface RoundsReport extends Report {
  /** The number of rounds that ended. */
  readonly rounds: number;
}

/** How several rounds are watched and stopped. */
export interface RoundsOptions extends Pick<VerifyOptions, "signal"> {
  readonly onProgress: (progress: VerifyProgress, round: number) => void;
}

/**
 * Runs the suite several times, each time with the next seed. In each round every check has its share of the random cases,
 * so that a long run can be stopped at any time. It ends after a round in which a check failed.
 *
 * @returns the results of all rounds, by check
 */
export async function verifyRounds(
  options: SuiteOptions & { readonly seed: number },
  count: number,
  { signal, onProgress }: RoundsOptions,
): Promise<RoundsReport> {
  let report: RoundsReport | undefined;
  do {
    const { rounds = 0, cases = 0 } = report ?? {};
    const next = await verify(
      { ...options, seed: options.seed + rounds },
      {
        signal,
        onProgress: (progress) => {
          onProgress({ ...progress, cases: cases + progress.cases }, rounds + 1);
        },
      },
    );
    report = joined(report, next);
  } while (
    report.rounds < count &&
    report.unfinished === 0 &&
    report.checks.every(({ status }) => status !== "failed")
  );
  return report;
}

function joined(before: RoundsReport | undefined, next: Report): RoundsReport {
  const rounds = (before?.rounds ?? 0) + (next.unfinished === 0 ? 1 : 0);
  if (before === undefined) return { ...next, rounds };
  const total = { ...next };
  addStats(total, before);
  // The last round may have been stopped before its last checks.
  const checks = before.checks.map((one, i): CheckResult => {
    const other = next.checks.at(i);
    if (other === undefined) return one;
    const stats = { ...other.stats };
    addStats(stats, one.stats);
    return { ...other, stats };
  });
  return { ...total, checks, rounds };
}
