const ids = new WeakMap<object, number>();
let nextId = 1;

/** A number for an object, for keys of maps. */
export function idOf(object: object): number {
  let id = ids.get(object);
  if (id === undefined) {
    id = nextId;
    nextId += 1;
    ids.set(object, id);
  }
  return id;
}
