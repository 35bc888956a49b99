import { didYouMean, plainName } from "../argument-checks/did-you-mean.js";
import { GradstepError, list } from "../errors.js";
import { sparseOptionNames } from "./sparse-options.js";
import { stepControlNames } from "./step-control-options.js";

const optionsOfOptimizers: readonly string[] = [...stepControlNames, ...sparseOptionNames];

/** What options of Keras's optimizers are here: stages, or options of createOptimizer. By `plainName`. */
const namesHere: Readonly<Record<string, string>> = {
  clipnorm: "clipByNorm",
  clipvalue: "clipByValue",
  globalclipnorm: "clipByGlobalNorm",
  useema: "ema",
  emamomentum: "ema",
  gradientaccumulationsteps: "accumulate",
  lossscalefactor: "lossScale",
};

/** The error for an option that a rule does not have: `UNKNOWN_OPTION`, with where it belongs if that is known. */
export function unknownOption(
  rule: string,
  option: string,
  known: readonly string[],
): GradstepError {
  const got = `${rule} has no option "${option}"`;
  const wanted = plainName(option);
  const isMisspelled = known.some((one) => plainName(one) === wanted);
  const here = !isMisspelled && Object.hasOwn(namesHere, wanted) ? namesHere[wanted] : option;
  let message = `${got}; it has ${list(known)}.${didYouMean(option, known)}`;
  if (optionsOfOptimizers.includes(here))
    message = `${got}: it is one of createOptimizer. Pass it there, as in createOptimizer(${rule}(), parameters, { ${here}: … }).`;
  else if (here !== option) {
    const parts = here === "ema" ? `${rule}(), ema()` : `${here}(…), ${rule}()`;
    message = `${got}: it is the stage ${here}. Combine them, as in chain(${parts}).`;
  }
  return new GradstepError(message, { code: "UNKNOWN_OPTION" });
}
