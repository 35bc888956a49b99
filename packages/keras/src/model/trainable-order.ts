import { GradstepError, show } from "@gradstep/core";
import { nameList } from "../name-list.js";
import { allVariables, type Child, type ModelVariable, type Saveable } from "./saveable.js";

/** Whether a variable can be the next one, and what comes then. */
export interface OrderCheck {
  /** The number of variables, if it is known. */
  readonly count: number | undefined;
  /** @returns where the variables after it begin; undefined if it does not fit */
  next(position: number, variable: ModelVariable): number | undefined;
  /** Whether these are all. */
  isComplete(variables: readonly ModelVariable[]): boolean;
}

/** The search for an order is given up after this number of steps. */
const maxSteps = 200_000;

/**
 * The trainable variables in the order of `model.trainable_variables`, in which an optimizer has its own. A weights file
 * does not store this order: it is the one that agrees with the order of layers as far as it is known, and with the
 * shapes of the optimizer's variables.
 * @returns undefined if no order agrees
 * @throws {GradstepError} `UNSUPPORTED` if several do
 */
export function trainableOrder(
  model: Saveable,
  check: OrderCheck,
): readonly ModelVariable[] | undefined {
  let found: readonly ModelVariable[] | undefined;
  let steps = 0;
  const chosen: ModelVariable[] = [];
  /** How many variables may be left out. */
  let spare = check.count === undefined ? Infinity : countOf(model) - check.count;
  type Continue = (position: number) => boolean;

  /** Tries the variables of one layer. @returns whether the search is over */
  const visit = ({ variables, children }: Saveable, position: number, then: Continue): boolean => {
    const candidates = variables.filter(({ isTrainable }) => isTrainable !== false);
    const isKnown = candidates.every(({ isTrainable }) => isTrainable === true);
    const before = chosen.length;
    let at: number | undefined = position;
    const ends: number[] = isKnown && candidates.length > 0 ? [] : [position];
    for (const [i, variable] of candidates.entries()) {
      at = check.next(at, variable);
      if (at === undefined) break;
      if (!isKnown || i === candidates.length - 1) ends.push(at);
    }
    // Trainable variables come first, so that those that are not known to be trainable are the first of their layer.
    const firstCount = isKnown && candidates.length > 0 ? candidates.length : 0;
    let isOver = false;
    for (let i = ends.length - 1; i >= 0 && !isOver; i -= 1) {
      chosen.push(...candidates.slice(0, firstCount === 0 ? i : firstCount));
      isOver = visitChildren(children, ends[i], then);
      chosen.length = before;
    }
    return isOver;
  };

  /** Tries the layers of a layer in each order; those that are left out are frozen. */
  const visitChildren = (children: readonly Child[], position: number, then: Continue): boolean => {
    steps += 1;
    if (steps > maxSteps) throw ambiguous(model);
    for (const child of children) {
      // Layers before it in its list cannot come after it.
      const isLater = (one: Child): boolean => one.list !== child.list || one.rank >= child.rank;
      const rest = children.filter((one) => one !== child && isLater(one));
      const left = sum(children) - sum(rest) - countOf(child.saveable);
      const count = chosen.length;
      spare -= left;
      const isOver =
        spare >= 0 &&
        visit(child.saveable, position, (at) =>
          chosen.length === count ? false : visitChildren(rest, at, then),
        );
      spare += left;
      if (isOver) return true;
    }
    const left = sum(children);
    spare -= left;
    const isOver = spare >= 0 && then(position);
    spare += left;
    return isOver;
  };

  const isAmbiguous = visit(withoutEmpty(model), 0, () => {
    if (!check.isComplete(chosen)) return false;
    if (found !== undefined && found.every((one, i) => one === chosen[i])) return false;
    if (found !== undefined) return true;
    found = [...chosen];
    return false;
  });
  if (isAmbiguous) throw ambiguous(model);
  return found;
}

/** Layers that have no variables, in whatever order, make no difference. */
function withoutEmpty({ children, ...model }: Saveable): Saveable {
  return {
    ...model,
    children: children
      .map((child) => ({ ...child, saveable: withoutEmpty(child.saveable) }))
      .filter(({ saveable }) => allVariables(saveable).some((one) => one.isTrainable !== false)),
  };
}

/** The number of variables that may be trainable. */
function countOf(saveable: Saveable): number {
  return allVariables(saveable).filter(({ isTrainable }) => isTrainable !== false).length;
}

function sum(children: readonly Child[]): number {
  return children.reduce((count, { saveable }) => count + countOf(saveable), 0);
}

function ambiguous(model: Saveable): GradstepError {
  const names = allVariables(model).map(({ name }) => name);
  return new GradstepError(
    `The file does not say in which order the optimizer has its variables, and their shapes fit in several orders, or leave too many to try. Its variables are ${nameList(names)}; pass the trainable ones in the order of the model as \`trainable\`: what [v.path for v in model.trainable_variables] prints in Python.`,
    { code: "UNSUPPORTED" },
  );
}

/**
 * The variables that Keras calls by these paths, `sequential/dense/kernel`, in this order. Variables of layers of an
 * unknown class get the names of the paths.
 * @throws {GradstepError} `UNKNOWN_PARAMETER`
 */
export function variablesByPath(model: Saveable, paths: readonly string[]): ModelVariable[] {
  const all = allVariables(model);
  const taken = new Set<ModelVariable>();
  return paths.map((path) => {
    const variable =
      longest(all, (one) => one.hasKnownName && endsWith(path, one.name)) ??
      byLayer(model, path, taken);
    if (variable === undefined || taken.has(variable)) {
      throw new GradstepError(
        `trainable has ${show(path)}${variable === undefined ? "" : " twice"}; expected paths of variables of the file, ${nameList(all.map(({ name }) => name))}.`,
        { code: "UNKNOWN_PARAMETER" },
      );
    }
    taken.add(variable);
    return variable;
  });
}

/** The next variable of the layer of a path whose own variables have no names in the file. */
function byLayer(
  model: Saveable,
  path: string,
  taken: ReadonlySet<ModelVariable>,
): ModelVariable | undefined {
  const end = path.lastIndexOf("/");
  const layer = longest(
    allSaveables(model).filter(({ variables }) => variables.some((one) => !one.hasKnownName)),
    ({ name }) => name === "" || endsWith(path.slice(0, Math.max(0, end)), name),
  );
  const exact = layer?.variables.find((one) => endsWith(path, one.name));
  const variable = exact ?? layer?.variables.find((one) => !taken.has(one));
  if (variable !== undefined && exact === undefined)
    variable.name = [layer!.name, path.slice(end + 1)].filter((part) => part !== "").join("/");
  return variable;
}

function longest<T extends { readonly name: string }>(
  all: readonly T[],
  matches: (one: T) => boolean,
): T | undefined {
  return all.filter(matches).sort((a, b) => b.name.length - a.name.length)[0];
}

function endsWith(path: string, name: string): boolean {
  return path === name || path.endsWith(`/${name}`);
}

function allSaveables(saveable: Saveable): Saveable[] {
  return [saveable, ...saveable.children.flatMap((child) => allSaveables(child.saveable))];
}
