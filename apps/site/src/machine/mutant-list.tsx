import type { CheckRun } from "./check-run.js";

/** Broken backends, and which check noticed each. */
export function MutantList({ run: { mutants, mutantDiagnosis } }: { readonly run: CheckRun }) {
  const noticed = mutants.filter(({ killedBy }) => killedBy !== null).length;
  const isComplete = mutantDiagnosis !== undefined;
  return (
    <div class="machine-mutants">
      <h3>Would it notice a bug?</h3>
      <p>
        <span class={noticed === mutants.length ? "machine-right-text" : "machine-wrong"}>
          {noticed} of {mutants.length} backends that are broken on purpose failed
        </span>
        {isComplete ? "." : " so far."}
      </p>
      {mutantDiagnosis !== undefined && mutantDiagnosis.falseAlarms.length > 0 && (
        <p class="machine-wrong">Failed without a bug: {mutantDiagnosis.falseAlarms.join("; ")}</p>
      )}
      <details>
        <summary>Every bug, and the check that noticed it</summary>
        <ul>
          {mutants.map(({ name, kind, killedBy }) => (
            <li key={name}>
              <strong>{name}</strong> <small>in the {kind}</small>
              {killedBy === null ? (
                <p class="machine-wrong">went unnoticed</p>
              ) : (
                <p>
                  <em>{killedBy.check}</em> {killedBy.reason.split("\n")[0]}
                </p>
              )}
            </li>
          ))}
        </ul>
      </details>
    </div>
  );
}
