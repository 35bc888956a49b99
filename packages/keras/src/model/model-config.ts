import { pathName } from "./layer-classes.js";

/** What `config.json` says of a layer. */
export interface LayerConfig {
  /** Its place in the model's list. */
  readonly rank: number;
  readonly name: unknown;
  readonly isFrozen: boolean;
  readonly config: Readonly<Record<string, unknown>>;
}

type Table = Readonly<Record<string, unknown>>;

/**
 * The layers of a model or a nested model by the keys that they have in the group `layers` of a weights file; undefined
 * if its configuration lists none, as that of a subclass of `Model`.
 */
export function layerConfigs(model: unknown): ReadonlyMap<string, LayerConfig> | undefined {
  const layers = isTable(model) ? model.layers : undefined;
  if (!Array.isArray(layers)) return undefined;
  const configs = new Map<string, LayerConfig>();
  const counts = new Map<string, number>();
  layers.forEach((layer: unknown, rank) => {
    if (!isTable(layer) || typeof layer.class_name !== "string") return;
    const key = pathName(layer.class_name);
    const count = counts.get(key) ?? 0;
    counts.set(key, count + 1);
    const config = isTable(layer.config) ? layer.config : {};
    configs.set(count === 0 ? key : `${key}_${count}`, {
      rank,
      name: config.name,
      isFrozen: config.trainable === false,
      config,
    });
  });
  return configs;
}

/** An object that is not an array. */
export function isTable(value: unknown): value is Table {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
