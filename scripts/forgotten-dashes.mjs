// `npm start --epochs 5` without the `--`: npm takes the option for one of its own, and hands over the 5 alone.

/**
 * What to say where npm swallowed options of the program, else undefined.
 *
 * @param {readonly string[]} optionNames The program's, without dashes.
 * @param {readonly string[]} args What npm handed over.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | undefined}
 */
export function forgottenDashes(optionNames, args, env) {
  if (!env.npm_config_user_agent?.startsWith("npm/")) return undefined;
  const swallowed = optionNames
    .map((name) => ({ name, value: env[`npm_config_${name.replaceAll("-", "_")}`] }))
    .filter(({ value }) => value !== undefined && value !== "");
  if (swallowed.length === 0) return undefined;
  const event = env.npm_lifecycle_event;
  const command = event === "start" ? "npm start" : `npm run ${event}`;
  const names = swallowed.map(({ name }) => `--${name}`).join(" and ");
  const [{ name, value }] = swallowed;
  // Of several options, npm does not tell which value was whose.
  const example =
    swallowed.length > 1 ? "…" : [`--${name}`, ...(value === "true" ? args : [value])].join(" ");
  return `npm took ${names} for itself. Put -- before the options: ${command} -- ${example}`;
}
