import { engine, type Variable } from "@tensorflow/tfjs-core";

/** Notified when TF.js disposes of a variable. */
export interface DisposalListener {
  variableDisposed(name: string): void;
}

const listeners = new Map<object, DisposalListener>();
const watched = new WeakSet<object>();

/**
 * Tells a listener of every variable that TF.js disposes of, until it is removed.
 * @param key identifies the listener. It must not refer to it, so that whoever holds the key does not keep it alive.
 */
export function addDisposalListener(key: object, listener: DisposalListener): void {
  watchEngine();
  listeners.set(key, listener);
}

/** Removes the listener with this key. */
export function removeDisposalListener(key: object): void {
  listeners.delete(key);
}

/** TF.js has no event for this: `variable.dispose()`, `model.dispose()` and `tf.disposeVariables()` end in one method. */
function watchEngine(): void {
  const tfEngine = engine();
  if (watched.has(tfEngine)) return;
  watched.add(tfEngine);
  const disposeVariable = tfEngine.disposeVariable.bind(tfEngine);
  tfEngine.disposeVariable = (variable: Variable) => {
    const { name } = variable;
    const isRegistered = tfEngine.registeredVariables[name] === variable;
    disposeVariable(variable);
    if (isRegistered) for (const listener of listeners.values()) listener.variableDisposed(name);
  };
}
