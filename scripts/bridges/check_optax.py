"""Continues in real Optax from checkpoints of gradstep, and compares the next 10 steps:

    node write_optax_checkpoints.mjs f32 OUT && python check_optax.py f32 OUT
    node write_optax_checkpoints.mjs f64 OUT && python check_optax.py f64 OUT

Prints the largest difference of each optimizer in any value of any step, relative to the largest magnitude that the
element has had since the checkpoint. Fails above 1e-6 in f32 and 1e-12 in f64.

In f32, schedule_free_sgd rounds more than its step does: in each one it computes x as (y - (1 - b1) * z) / b1. An optimizer
in f32 that is above the limit is therefore compared a second time, with Optax continuing from the same file in f64: this
must be below the limit, and the first comparison below twice the limit.
"""

import json
import pathlib
import sys

import jax
import numpy as np
import optax

from optax_cases import MATRICES, SHAPES, as_type, named, optimizer_of, tree_of
from optax_checkpoint import load, read_optimizer

LIMITS = {"f32": 1e-6, "f64": 1e-12}


def main(label, folder):
    jax.config.update("jax_enable_x64", label == "f64")
    dtype = {"f32": np.float32, "f64": np.float64}[label]
    failed = 0
    for file in sorted(pathlib.Path(folder).glob(f"*-{label}.safetensors")):
        steps = json.loads(file.with_suffix(".json").read_text())
        difference = compare(file, steps, dtype)
        passed, note = difference <= LIMITS[label], ""
        if not passed and label == "f32":
            jax.config.update("jax_enable_x64", True)
            exact = compare(file, steps, np.float64)
            jax.config.update("jax_enable_x64", False)
            passed = exact <= LIMITS["f32"] and difference <= 2 * LIMITS["f32"]
            note = f"  Optax rounds; {exact:.1e} from Optax in f64"
        failed += not passed
        print(f"{file.stem:44} {difference:.1e}{note}{'' if passed else '  FAILED'}", flush=True)
    print(f"{failed} failed")
    return int(failed > 0)


def compare(file, steps, dtype):
    """The largest relative difference in the steps after a checkpoint."""
    shapes = MATRICES if "hidden.bias" in steps[0]["gradients"] else SHAPES
    optimizer = optimizer_of(read_optimizer(file))
    params, state = load(file, as_type(tree_of(shapes, np.zeros), dtype), optimizer, cast=True)
    scales = {path: np.abs(value) for path, value in named(params).items()}
    worst = 0.0
    for step in steps:
        gradients = unnamed(step["gradients"], shapes, dtype)
        updates, state = optimizer.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
        for path, value in named(params).items():
            expected = np.asarray(step["parameters"][path], dtype).reshape(value.shape)
            scales[path] = np.maximum(scales[path], np.abs(expected))
            difference = np.abs(value - expected) / np.where(scales[path] == 0, 1, scales[path])
            worst = max(worst, float(np.max(difference)))
    return worst


def unnamed(values, shapes, dtype, prefix=""):
    """The tree of values by paths."""
    return {
        key: np.asarray(values[prefix + key], dtype).reshape(one)
        if isinstance(one, tuple)
        else unnamed(values, one, dtype, f"{prefix}{key}.")
        for key, one in shapes.items()
    }


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
