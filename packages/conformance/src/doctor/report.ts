import {
  figure,
  folded,
  table,
  wrapped,
  type Cell,
  type Column,
  type Paint,
} from "../cli/terminal.js";
import type { CheckResult } from "../suite/verify.js";
import { boundsGroup } from "./check-backend.js";
import { isSound, type CheckedBackend, type Diagnosis, type MutantDiagnosis } from "./diagnosis.js";
import type { Machine } from "./machine.js";
import type { Speed } from "./speed.js";

/** The text of a diagnosis, section by section. Lines have at most `width` characters. */
export class Report {
  readonly #paint: Paint;
  readonly #width: number;

  /** @param width of the terminal; Infinity if there is none */
  constructor(paint: Paint, width: number) {
    this.#paint = paint;
    this.#width = width;
  }

  machine(version: string, { cpu, processors, memoryGiB, platform, runtime }: Machine): string {
    const counted = `${processors} ${processors === 1 ? "processor" : "processors"}`;
    return lines(
      this.#line(`${this.#paint.strong(`gradstep ${version}`)} on ${runtime}, ${platform}`),
      this.#line(this.#paint.dim(`${cpu}, ${counted}, ${memoryGiB} GiB`)),
    );
  }

  /** What there is, and for what is missing why, and how to get it. */
  backends(
    backends: readonly {
      readonly name: string;
      readonly detail?: string;
      readonly missing?: string;
      readonly remedy?: string;
    }[],
  ): string {
    const paint = this.#paint;
    const nameWidth = Math.max(...backends.map(({ name }) => name.length));
    const indent = this.#indentAfter(nameWidth + 13);
    const entries = backends.flatMap(({ name, detail = "", missing, remedy = "" }) => {
      const start = `  ${name.padEnd(nameWidth)}  `;
      if (missing === undefined)
        return this.#line(
          `${start}${paint.good("works")}    ${paint.dim(detail)}`.trimEnd(),
          indent,
        );
      return [
        this.#line(`${start}${paint.bad("missing")}  ${missing}.`, indent),
        this.#line(" ".repeat(indent) + remedy, indent),
      ];
    });
    return lines(this.#title("Backends"), ...entries);
  }

  /** The worst error of each rule on each backend, then a line per backend, then what failed. */
  checks(backends: readonly CheckedBackend[]): string {
    const paint = this.#paint;
    const names = [
      ...new Set(backends.flatMap(({ checks }) => boundsOf(checks).map(({ name }) => name))),
    ];
    const nameWidth = Math.max(...backends.map(({ name }) => name.length));
    const statusWidth = Math.max(...backends.map(({ status }) => status.length));
    const verdicts = backends.map((backend) => {
      const mark = { right: paint.good, wrong: paint.bad, unfinished: paint.dim }[backend.status];
      return this.#line(
        `  ${backend.name.padEnd(nameWidth)}  ${mark(backend.status.padEnd(statusWidth))}  ${paint.dim(summary(backend))}`,
        this.#indentAfter(nameWidth + statusWidth + 6),
      );
    });
    const failures = backends.flatMap(({ name, checks }) =>
      checks
        .filter(({ status }) => status === "failed")
        .flatMap((check) => [
          "",
          this.#line(paint.bad(`  ${name}, ${check.group}: ${check.name}`)),
          ...wrapped(check.reason ?? "", this.#width - 4).map((line) => `    ${line}`),
        ]),
    );
    return lines(
      this.#title("Largest error of each rule, in units of its bound"),
      this.#line(paint.dim("  Compared with the reference in f64. Up to 1 is right.")),
      "",
      ...(names.length > 0 ? this.#errors(names, backends).flatMap((part) => [part, ""]) : []),
      ...verdicts,
      ...failures,
    );
  }

  mutants({ total, killed, falseAlarms, mutants }: MutantDiagnosis): string {
    const paint = this.#paint;
    const isGood = killed === total && falseAlarms.length === 0;
    return lines(
      this.#title("Does this check notice bugs?"),
      this.#line(
        (isGood ? paint.good : paint.bad)(
          `  ${killed} of ${total} backends that are broken on purpose failed it.`,
        ),
      ),
      ...mutants
        .filter(({ killedBy }) => killedBy === null)
        .map(({ name }) => this.#line(paint.bad(`  went unnoticed: ${name}`), 4)),
      ...falseAlarms.map((check) => this.#line(paint.bad(`  failed without a bug: ${check}`), 4)),
    );
  }

  speed({ parameters, rounds, loopNs, backends }: Speed): string {
    const paint = this.#paint;
    const columns: Column[] = [
      { title: "" },
      { title: "per step", align: "right" },
      { title: "speed", align: "right" },
      { title: "half of the rounds between" },
    ];
    const rows = backends.map(({ name, stepNs, timesAsFast: [lower, median, upper] }): Cell[] => [
      `  ${name}`,
      duration(stepNs),
      { text: times(median), paint: paint.strong },
      { text: `${times(lower)} and ${times(upper)}`, paint: paint.dim },
    ]);
    return lines(
      this.#title(`Speed of Adam, ${parameters.toLocaleString("en-US")} parameters`),
      this.#line(paint.dim(`  Medians of ${rounds} rounds. The loop in JavaScript is 1×.`)),
      "",
      table(columns, [["  loop", duration(loopNs), "1×"], ...rows], paint, this.#width),
    );
  }

  /** Why the speed could not be measured. */
  unmeasured(reason: string): string {
    return lines(
      this.#title("Speed"),
      ...wrapped(`It could not be measured: ${reason}`, this.#width - 2).map((line) =>
        this.#paint.bad(`  ${line}`),
      ),
    );
  }

  verdict(diagnosis: Diagnosis): string {
    const paint = this.#paint;
    const { backends, seconds, interrupted } = diagnosis;
    const named = (status: string): string =>
      backends
        .filter((backend) => backend.status === status)
        .map(({ name }) => name)
        .join(", ");
    const [right, wrong] = [named("right"), named("wrong")];
    const text = [
      ...(wrong === "" ? [] : [paint.bad(`Wrong: ${wrong}.`)]),
      ...(right === "" ? [] : [paint.good(`Right: ${right}.`)]),
      ...(isSound(diagnosis) || wrong !== "" ? [] : [paint.bad("The check itself failed.")]),
      ...(interrupted ? [paint.bad("Stopped by Ctrl-C.")] : []),
      paint.dim(`${seconds.toFixed(1)} s`),
    ];
    return lines(this.#line(text.join(" "), 0));
  }

  #title(text: string): string {
    return `\n${this.#line(this.#paint.strong(text), 0)}`;
  }

  #line(text: string, indent = 2): string {
    return folded(text, this.#width, indent);
  }

  /** The indent of text that is folded beside columns of this width: below it, or of 4 on a narrow terminal. */
  #indentAfter(width: number): number {
    return this.#width - width < 24 ? 4 : width;
  }

  /** Tables with a row per rule, and as many backends beside each other as fit. */
  #errors(rules: readonly string[], backends: readonly CheckedBackend[]): readonly string[] {
    const ruleWidth = 2 + Math.max("rule".length, ...rules.map((rule) => rule.length));
    const parts: CheckedBackend[][] = [];
    let width = 0;
    for (const backend of backends) {
      const column = 2 + Math.max(backend.name.length, "skipped".length);
      if (parts.length === 0 || width + column > this.#width) {
        parts.push([]);
        width = ruleWidth;
      }
      parts[parts.length - 1].push(backend);
      width += column;
    }
    return parts.map((part) => {
      const columns: Column[] = [
        { title: "  rule" },
        ...part.map(({ name }): Column => ({ title: name, align: "right" })),
      ];
      const rows = rules.map((rule): Cell[] => [
        `  ${rule}`,
        ...part.map(({ checks }) =>
          this.#errorCell(boundsOf(checks).find(({ name }) => name === rule)),
        ),
      ]);
      return table(columns, rows, this.#paint, this.#width);
    });
  }

  #errorCell(check: CheckResult | undefined): Cell {
    const { dim, bad } = this.#paint;
    if (check === undefined) return { text: "–", paint: dim };
    if (check.status === "skipped") return { text: "skipped", paint: dim };
    const text = figure(check.stats.worstErrorOverBound);
    return check.status === "failed" ? { text, paint: bad } : text;
  }
}

function boundsOf(checks: readonly CheckResult[]): readonly CheckResult[] {
  return checks.filter(({ group }) => group === boundsGroup);
}

function summary({ checks, cases, unfinished, isEmulated, differingBits }: CheckedBackend): string {
  const passed = checks.filter(({ status }) => status === "passed").length;
  const skipped = checks.filter(({ status }) => status === "skipped").length;
  return [
    `${passed} of ${checks.length + unfinished - skipped} checks`,
    `${cases.toLocaleString("en-US")} cases`,
    ...(differingBits === 0 && passed > 0 ? ["bits of the f32 reference"] : []),
    ...(isEmulated ? ["in software"] : []),
  ].join(", ");
}

function duration(ns: number): string {
  if (ns < 1e6) return `${(ns / 1e3).toPrecision(3)} µs`;
  return ns < 1e9 ? `${(ns / 1e6).toPrecision(3)} ms` : `${(ns / 1e9).toPrecision(3)} s`;
}

function times(ratio: number): string {
  return `${ratio.toFixed(ratio >= 10 ? 1 : 2)}×`;
}

function lines(...all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
