/** The values an option may have; the first is the default. */
export type OptionValues = readonly (boolean | string)[];
/** Options by name. */
export type OptionTable = Readonly<Record<string, OptionValues>>;

/** One value per option. */
export type Choices<O extends OptionTable> = { readonly [K in keyof O]: O[K][number] };

/** Every combination of one value per key. */
export function* combinations(table: OptionTable): Generator<Record<string, boolean | string>> {
  const entries = Object.entries(table);
  const total = entries.reduce((product, [, values]) => product * values.length, 1);
  for (let index = 0; index < total; index += 1) {
    let rest = index;
    yield Object.fromEntries(
      entries.map(([key, values]) => {
        const value = values[rest % values.length];
        rest = Math.floor(rest / values.length);
        return [key, value];
      }),
    );
  }
}
