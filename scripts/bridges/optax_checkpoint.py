"""Saves and loads JAX parameters with their Optax state as a safetensors file that gradstep reads and writes.

Copy this file into your project. It needs jax, optax and safetensors.

    from optax_checkpoint import load, read_optimizer, save

    optimizer = optax.adamw(1e-3, weight_decay=0.1)
    save("run.safetensors", params, opt_state, {"name": "adamw", "learning_rate": 1e-3, "weight_decay": 0.1})
    params, opt_state = load("run.safetensors", params, optimizer)

The file has `params.<path>` for every array in the parameters, and `opt_state.<path>` for every array in the state,
such as `opt_state.0.mu.dense.kernel` and `opt_state.0.count`. Paths are the keys of dictionaries, the fields of named
tuples and the numbers of items, joined by dots. Arrays are found by their paths, never by their order.

An optimizer of Optax is made of functions, which do not say what they do, so that you name it: its name, or those of
the parts of an `optax.chain` joined by `+`, and the arguments of all of them, as gradstep's `fromOptax` takes them:

    optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))
    {"name": "clip_by_global_norm+adam", "max_norm": 1.0, "learning_rate": 1e-3}

    optax.MultiSteps(optax.inject_hyperparams(optax.adam)(learning_rate=1e-3), every_k_schedule=4)
    {"name": "multi_steps+inject_hyperparams+adam", "every_k_schedule": 4, "learning_rate": 1e-3}

A schedule is given as gradstep's data: {"schedule": "linear", "options": {"from": 1e-3, "to": 0, "steps": 1000}}.
"""

import json
import os

import jax
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file


def save(path, params, opt_state, optimizer=None, steps=None):
    """Writes the parameters and the state.

    optimizer: what the transformation is, as above. Without it, gradstep asks for it when it reads the file.
    steps: the steps taken, for an optimizer that does not count them (sgd, adagrad, rmsprop, lars). gradstep then
      continues to count from there; the updates are the same.
    """
    arrays = {**arrays_of("params", params), **arrays_of("opt_state", opt_state)}
    metadata = {"format": "optax", "version": "1"}
    if optimizer is not None:
        if not isinstance(optimizer.get("name"), str):
            raise ValueError(f'optimizer is {optimizer}; expected {{"name": "adamw", "learning_rate": 1e-3, ...}}.')
        metadata["optimizer"] = json.dumps(optimizer, allow_nan=False)
    if steps is not None:
        metadata["steps"] = str(int(steps))
    # Arrays of JAX can be on a device, and in any layout.
    save_file({key: np.ascontiguousarray(value).reshape(np.shape(value)) for key, value in arrays.items()}, f"{path}.tmp", metadata)
    # Only now is the file of that name replaced, if there is one.
    os.replace(f"{path}.tmp", path)


def load(path, params, optimizer, cast=False):
    """Returns the parameters and the state of a file, for an optimizer that does what the file's did.

    params: parameters of the right structure, shapes and types, such as those of a new model; their values are not used.
    cast: whether arrays of another floating-point type are converted, such as float32 to the bfloat16 of mu_dtype.

    Raises ValueError with everything that does not fit, found by path.
    """
    with safe_open(path, framework="numpy") as file:
        arrays = {key: file.get_tensor(key) for key in file.keys()}
        metadata = file.metadata() or {}
    arrays.pop("gradstep.digest", None)
    expected = {"params": params, "opt_state": optimizer.init(params)}
    leaves = {key: leaf for root, tree in expected.items() for key, leaf in arrays_of(root, tree).items()}
    misfits = [f"{key} is missing in the file" for key in leaves if key not in arrays]
    misfits += [f"{key} is unknown to this optimizer" for key in arrays if key not in leaves]
    for key in leaves.keys() & arrays.keys():
        got, wanted = arrays[key], leaves[key]
        if got.shape != wanted.shape:
            misfits.append(f"{key} has shape {got.shape} in the file; expected {wanted.shape}")
        elif got.dtype != wanted.dtype and not (is_same_kind(got, wanted) or (cast and is_float(got) and is_float(wanted))):
            misfits.append(f"{key} is {got.dtype} in the file; expected {wanted.dtype} (cast=True converts floats)")
    if misfits:
        named = metadata.get("optimizer", "an optimizer that it does not name")
        raise ValueError(
            f"{path} does not fit. It has the state of {named}. Make the same optimizer and parameters of the same"
            f" names and shapes.\n  " + "\n  ".join(sorted(misfits))
        )

    def filled(root, tree):
        return jax.tree_util.tree_map_with_path(
            lambda keys, leaf: jax.numpy.asarray(arrays[name_of(root, keys)], dtype=np.asarray(leaf).dtype), tree
        )

    return filled("params", params), filled("opt_state", expected["opt_state"])


def read_optimizer(path):
    """What the optimizer of a file is, such as {"name": "adamw", "learning_rate": 0.001, ...}; None if it is not named."""
    with safe_open(path, framework="numpy") as file:
        named = (file.metadata() or {}).get("optimizer")
    return None if named is None else json.loads(named)


def arrays_of(root, tree):
    """The arrays of a tree by their paths, which start with root."""
    arrays = {}
    for keys, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        name = name_of(root, keys)
        if not keys:
            raise ValueError(f"{root} is one array; expected a tree with names, such as a dictionary.")
        if name in arrays:
            raise ValueError(f"Two arrays have the path {name}; rename one of them.")
        if jax.dtypes.issubdtype(getattr(leaf, "dtype", None), jax.dtypes.prng_key):
            raise ValueError(f"{name} is a random key, which the file cannot hold; expected numbers.")
        arrays[name] = np.asarray(leaf)
    return arrays


def name_of(root, keys):
    """The path of an array as text: `opt_state.0.mu.dense.kernel`."""
    return ".".join([root, *(str(part_of(key)) for key in keys)])


def part_of(key):
    for field in ("key", "name", "idx"):  # Of a dictionary, a named tuple or class, a tuple or list.
        if hasattr(key, field):
            return getattr(key, field)
    return key


def is_float(array):
    return jax.dtypes.issubdtype(array.dtype, np.floating)


def is_same_kind(one, other):
    """Counts of steps are int32 or int64, depending on jax_enable_x64."""
    return np.issubdtype(one.dtype, np.integer) and np.issubdtype(other.dtype, np.integer)
