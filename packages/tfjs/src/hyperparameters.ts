/**
 * Defines properties that read and set hyperparameters.
 * @param names of the properties; or pairs of a property and the hyperparameter that it stands for.
 */
export function defineHyperparameters(
  target: object,
  source: object,
  names: readonly (string | readonly [property: string, hyperparameter: string])[],
): void {
  const values = source as Record<string, number>;
  for (const name of names) {
    const [property, hyperparameter] = typeof name === "string" ? [name, name] : name;
    Object.defineProperty(target, property, {
      enumerable: true,
      configurable: true,
      get: () => values[hyperparameter],
      set: (value: number) => {
        values[hyperparameter] = value;
      },
    });
  }
}
