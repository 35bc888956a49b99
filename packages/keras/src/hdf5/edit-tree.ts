import type { Hdf5Group, Hdf5Node } from "./hdf5-tree.js";

/** A group whose content is being made. */
export type OpenGroup = Hdf5Group & { readonly children: Map<string, Hdf5Node> };

export function emptyGroup(): OpenGroup {
  return { kind: "group", children: new Map() };
}

export function copyOf(group: Hdf5Group): OpenGroup {
  return {
    ...group,
    children: new Map(
      [...group.children].map(([key, node]) => [key, node.kind === "group" ? copyOf(node) : node]),
    ),
  };
}

/** Puts a node at a path; groups on the way are made. */
export function setAt(root: OpenGroup, path: string, node: Hdf5Node): void {
  const parts = path.split("/");
  const last = parts.pop()!;
  let group = root;
  for (const part of parts) {
    const next = group.children.get(part);
    const inner = next?.kind === "group" ? (next as OpenGroup) : emptyGroup();
    group.children.set(part, inner);
    group = inner;
  }
  group.children.set(last, node);
}
