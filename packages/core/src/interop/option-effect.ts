/**
 * Whether the value of an option or hyperparameter of a rule can change results by more than roundings.
 * @param groups the hyperparameters of all groups
 */
export function hasEffect(
  option: string,
  choices: Readonly<Record<string, unknown>>,
  groups: readonly Readonly<Record<string, unknown>>[],
): boolean {
  const some = (key: string): boolean => groups.some((values) => values[key] !== 0);
  switch (option) {
    case "averageForm":
    case "productIn":
      return false;
    case "weightDecayMode":
      return some("weightDecay");
    case "epsilonMode":
      return some("epsilon");
    case "momentumForm":
    case "nesterov":
    case "dampening":
      return some("momentum");
    case "amsgradOf":
      return choices.amsgrad === true;
    case "rmsRate":
      return choices.adjust === "rms";
    case "beta2":
      return choices.secondMoments !== "none";
    default:
      return true;
  }
}
