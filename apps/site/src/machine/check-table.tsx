import { boundsGroup } from "@gradstep/conformance/doctor";
import type { CheckResult } from "@gradstep/conformance";
import { rules } from "@gradstep/core/rules";
import { backendTitles } from "../backends/browser-backends.js";
import type { BackendRun, CheckRun } from "./check-run.js";

/** The largest error of each rule on each backend, and a verdict per backend. */
export function CheckTable({ run }: { readonly run: CheckRun }) {
  return (
    <>
      <ul class="machine-verdicts" aria-label="Verdicts">
        {run.backends.map((backend) => (
          <li key={backend.name}>
            <Verdict backend={backend} isStopped={run.state === "stopped"} />
          </li>
        ))}
      </ul>
      <p class="machine-caption">
        Largest error of each rule, in units of its bound. Up to 1 is right.
      </p>
      <div
        class="machine-table"
        role="region"
        aria-label="Largest error of each rule, in units of its bound"
        tabIndex={0}
      >
        <table>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              {run.backends.map(({ name }) => (
                <th key={name} scope="col">
                  {backendTitles[name]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rules.map(({ name: rule }) => (
              <tr key={rule}>
                <th scope="row">{rule}</th>
                {run.backends.map(({ name, results }) => (
                  <ErrorCell
                    key={name}
                    result={results.find((one) => one.group === boundsGroup && one.name === rule)}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function ErrorCell({ result }: { readonly result: CheckResult | undefined }) {
  if (result === undefined) return <td />;
  if (result.status === "skipped") return <td title={result.reason}>skipped</td>;
  const { worstErrorOverBound: worst } = result.stats;
  const isWrong = result.status === "failed";
  return (
    <td
      class={isWrong ? "machine-wrong" : "machine-right"}
      style={{ "--share": `${100 * Math.min(1, worst)}%` }}
    >
      {isWrong && "✗ "}
      {worst < 1000 ? worst.toFixed(3) : worst.toExponential(1)}
    </td>
  );
}

function Verdict({
  backend,
  isStopped,
}: {
  readonly backend: BackendRun;
  readonly isStopped: boolean;
}) {
  const { name, results, diagnosis, failure } = backend;
  const title = <strong>{backendTitles[name]}</strong>;
  const failed = results.filter(({ status }) => status === "failed");
  if (failure !== undefined)
    return (
      <p>
        {title} could not be checked: {failure}
      </p>
    );
  const summary =
    diagnosis === undefined
      ? results.length === 0 && !isStopped
        ? "waits"
        : `${results.length} checks${isStopped ? ", then stopped" : " so far"}`
      : summaryOf(diagnosis);
  const mark = failed.length > 0 ? "✗ wrong" : diagnosis === undefined ? "…" : "✓ right";
  const className =
    failed.length > 0 ? "machine-wrong" : diagnosis === undefined ? "" : "machine-right-text";
  return (
    <>
      <p>
        {title} <span class={className}>{mark}</span> <small>{summary}</small>
      </p>
      {failed.map(({ group, name: check, reason }) => (
        <pre key={`${group} ${check}`}>
          {group}: {check}
          {"\n"}
          {reason}
        </pre>
      ))}
    </>
  );
}

function summaryOf(diagnosis: NonNullable<BackendRun["diagnosis"]>): string {
  const { checks, cases, elements, differingBits, isEmulated } = diagnosis;
  const passed = checks.filter(({ status }) => status === "passed").length;
  const skipped = checks.filter(({ status }) => status === "skipped").length;
  const number = (value: number): string => value.toLocaleString("en-US");
  return [
    `${passed} of ${checks.length - skipped} checks`,
    `${number(cases)} cases`,
    `${number(elements)} values`,
    ...(differingBits === 0 ? ["bits of the f32 reference"] : []),
    ...(isEmulated ? ["a GPU in software"] : []),
  ].join(", ");
}
