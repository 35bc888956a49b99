import { count, threeDigits } from "@gradstep/apps-shared/format";
import type { BenchmarkRow, BenchmarkTable, Comparison } from "./benchmark-table.js";

/** What the rivals are, in the head of a column. */
const rivalTitles: Readonly<Record<string, string>> = {
  hand: "loop",
  wgsl: "shader",
  "tfjs-cpu": "TF.js, JavaScript",
  "tfjs-wasm": "TF.js, wasm",
  "tfjs-webgpu": "TF.js, WebGPU",
};

/** A table per workload. */
export function BenchmarkTables({ tables }: { readonly tables: readonly BenchmarkTable[] }) {
  return (
    <>
      {tables.map((table) => (
        <Workload key={`${table.workload} ${table.processor}`} table={table} />
      ))}
    </>
  );
}

function Workload({ table }: { readonly table: BenchmarkTable }) {
  const { workload, processor, parameters, tensors, rounds, rivals, rows, failures } = table;
  const title = `${workload} on the ${processor}: Adam, ${count(parameters, "parameter")} in ${count(tensors, "tensor")}, medians of ${rounds} rounds`;
  return (
    <>
      <p class="machine-caption">{title}</p>
      <div class="machine-table machine-benchmark" role="region" aria-label={title} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Contender</th>
              <th scope="col">Per step</th>
              {rivals.map((rival) => (
                <th key={rival} scope="col">
                  Speed, {rivalTitles[rival]} = 1
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.name} row={row} rivals={rivals} />
            ))}
          </tbody>
        </table>
      </div>
      {failures.map(({ name, reason }) => (
        <p key={name} class="machine-wrong">
          {name} was not measured: {reason}
        </p>
      ))}
    </>
  );
}

function Row({ row, rivals }: { readonly row: BenchmarkRow; readonly rivals: readonly string[] }) {
  const { name, description, isOwn, stepNs, comparisons } = row;
  return (
    <tr class={isOwn ? "machine-own" : ""}>
      <th scope="row">
        {name}
        <small>{description}</small>
      </th>
      <td>{time(stepNs)}</td>
      {rivals.map((rival) => (
        <td key={rival}>
          {comparisons[rival] === undefined ? "1" : <Ratio {...comparisons[rival]} />}
        </td>
      ))}
    </tr>
  );
}

function Ratio({ speedup, quartiles: [lower, upper] }: Comparison) {
  return (
    <>
      {ratio(speedup)}
      <small>
        {ratio(lower)} to {ratio(upper)}
      </small>
    </>
  );
}

function ratio(value: number): string {
  return value >= 0.1 && value < 10 ? value.toFixed(2) : threeDigits(value);
}

function time(ns: number): string {
  return ns < 1e6 ? `${threeDigits(ns / 1e3)} µs` : `${threeDigits(ns / 1e6)} ms`;
}
