import { GradstepError } from "@gradstep/core";
import type { Hdf5Dataset, Hdf5Group } from "../hdf5/hdf5-tree.js";
import { isTable, layerConfigs, type LayerConfig } from "./model-config.js";
import { knownSublayer, knownVariables } from "./layer-classes.js";

/** A variable of the model. */
export interface ModelVariable {
  /** Its path in the file: `layers/dense/vars/0`. */
  readonly path: string;
  /** The names of its layers and its own: `dense/kernel`; `my_layer/0` for a layer of an unknown class. */
  name: string;
  readonly hasKnownName: boolean;
  readonly dataset: Hdf5Dataset;
  /** Undefined if the file does not say. */
  readonly isTrainable: boolean | undefined;
}

/** A model or a layer, with its variables: what Keras saves under one path. */
export interface Saveable {
  /** The names of the layers that lead to it; empty for the model. */
  readonly name: string;
  readonly variables: readonly ModelVariable[];
  readonly children: readonly Child[];
}

/** A layer of a model or of a layer. */
export interface Child {
  readonly saveable: Saveable;
  /** Layers of the same list have their variables in the order of their ranks. */
  readonly list: string;
  readonly rank: number;
}

const floats: readonly string[] = ["<f4", "<f8"];

/**
 * The layers of a weights file. Keras stores a layer of a list under its class and a number, a layer of an attribute
 * under the attribute, and what a layer is called in an attribute of the group `vars`.
 * @param model the configuration of the model, from `config.json`
 */
export function saveablesOf(root: Hdf5Group, model?: unknown): Saveable {
  const children = new Map(root.children);
  children.delete("optimizer");
  return withUniqueNames(
    makeSaveable(
      { ...root, children },
      {
        path: "",
        name: "",
        className: undefined,
        config: isTable(model) ? model : {},
        isFrozen: false,
      },
    ),
  );
}

/** What Keras saved of a model or layer, apart from its variables. */
interface SaveableConfig {
  readonly path: string;
  readonly name: string;
  readonly className: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly isFrozen: boolean;
}

function makeSaveable(group: Hdf5Group, settings: SaveableConfig): Saveable {
  const { path, name, className, config, isFrozen } = settings;
  const vars = group.children.get("vars");
  const datasets = vars?.kind === "group" ? numbered(vars, path) : [];
  const known = knownVariables(className, datasets.length, config);
  const variables = datasets.map(([key, dataset], i): ModelVariable => {
    const own = known?.[i].name ?? key;
    const isTrainable =
      isFrozen || !floats.includes(dataset.dtype) ? false : known?.[i].isTrainable;
    return {
      path: join(path, `vars/${key}`),
      name: join(name, own),
      hasKnownName: known !== undefined,
      dataset,
      isTrainable,
    };
  });
  const configs = layerConfigs(config);
  const children = [...group.children].flatMap(([key, node]): Child[] => {
    if (node.kind !== "group" || key === "vars") return [];
    const inner = join(path, key);
    if (!isSaveable(node))
      return listOf(node, inner, settings, key === "layers" ? configs : undefined);
    const sublayer = knownSublayer(className, key);
    const child = makeSaveable(node, {
      path: inner,
      name: join(name, nameOf(node, key)),
      className:
        sublayer?.className ?? (className === "bidirectional" ? recurrentOf(node) : undefined),
      config: {},
      isFrozen,
    });
    return [
      sublayer === undefined
        ? { saveable: child, list: inner, rank: 0 }
        : { saveable: child, list: path, rank: sublayer.rank },
    ];
  });
  const isOneList = children.every(({ list }) => list === children[0].list);
  if (isOneList) children.sort((a, b) => a.rank - b.rank);
  return { name, variables, children };
}

/** The layers of a list, and of lists in it. */
function listOf(
  group: Hdf5Group,
  path: string,
  parent: SaveableConfig,
  configs: ReadonlyMap<string, LayerConfig> | undefined,
): Child[] {
  const saveables = [...group.children].filter(
    (entry): entry is [string, Hdf5Group] => entry[1].kind === "group",
  );
  // A configuration of another model says nothing.
  const fits =
    configs !== undefined &&
    saveables.every(([key, node]) => configs.get(key)?.name === nameOf(node, key));
  return saveables.flatMap(([key, node]): Child[] => {
    const inner = `${path}/${key}`;
    if (!isSaveable(node)) return listOf(node, inner, parent, undefined);
    const [, className, number = "0"] = /^(.*?)(?:_(\d+))?$/.exec(key)!;
    const config = fits ? configs.get(key) : undefined;
    const saveable = makeSaveable(node, {
      path: inner,
      name: join(parent.name, nameOf(node, key)),
      className,
      config: config?.config ?? {},
      isFrozen: parent.isFrozen || config?.isFrozen === true,
    });
    return [
      config === undefined
        ? { saveable, list: `${path}/${className}`, rank: Number(number) }
        : { saveable, list: path, rank: config.rank },
    ];
  });
}

/** Lists have no variables of their own. */
function isSaveable(group: Hdf5Group): boolean {
  return group.children.get("vars")?.kind === "group";
}

function nameOf(group: Hdf5Group, key: string): string {
  const vars = group.children.get("vars");
  return (vars?.kind === "group" ? vars.name : undefined) ?? key;
}

/** The class of a layer of `Bidirectional`, by the default name of its cell. */
function recurrentOf(group: Hdf5Group): string | undefined {
  const cell = group.children.get("cell");
  return cell?.kind === "group" ? /^(.*)_cell$/.exec(nameOf(cell, ""))?.[1] : undefined;
}

/** The arrays `0`, `1`, … of a group. @throws {GradstepError} `UNSUPPORTED` for one whose values are not read */
function numbered(vars: Hdf5Group, path: string): [string, Hdf5Dataset][] {
  return [...vars.children]
    .flatMap(([key, node]): [string, Hdf5Dataset][] => {
      if (node.kind === "dataset") return [[key, node]];
      if (node.kind === "group") return [];
      throw new GradstepError(
        `The variable ${join(path, `vars/${key}`)} has the type ${node.dtype}; expected float32, float64 or integers. Save the model with variables of these types, as the policies mixed_float16 and mixed_bfloat16 have them.`,
        { code: "UNSUPPORTED" },
      );
    })
    .sort(([a], [b]) => Number(a) - Number(b));
}

/** All variables of a model or layer, its own first. */
export function allVariables({ variables, children }: Saveable): ModelVariable[] {
  return [...variables, ...children.flatMap(({ saveable }) => allVariables(saveable))];
}

/** Variables of the same name are called by their paths. */
function withUniqueNames(model: Saveable): Saveable {
  const byName = new Map<string, ModelVariable[]>();
  for (const variable of allVariables(model))
    byName.set(variable.name, [...(byName.get(variable.name) ?? []), variable]);
  for (const variables of byName.values())
    if (variables.length > 1) for (const variable of variables) variable.name = variable.path;
  return model;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}/${key}`;
}
