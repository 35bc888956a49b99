/** Told each result as Stryker finds it: a run that is interrupted keeps what it found. */
export const testedMutants = { onResult: undefined };

class TestedMutants {
  onMutantTested(result) {
    testedMutants.onResult?.(result);
  }
}

export const strykerPlugins = [
  { kind: "Reporter", name: "tested-mutants", injectableClass: TestedMutants },
];
