/**
 * Arguments in which a negative number after an option is the option's value: `--cases -1` as `--cases=-1`. Node's
 * `parseArgs` takes it for another option, whose name it does not say.
 */
export function withNegativeValues(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const option = joined.at(-1);
    if (/^-[\d.]/.test(arg) && option !== undefined && /^--[\w-]+$/.test(option))
      joined[joined.length - 1] = `${option}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}
