"""Writes the fixtures of the Optax bridge: checkpoints by real Optax, and its next 10 steps.

    python make_optax_fixtures.py f32 ../../packages/checkpoint/test/fixtures/optax
    python make_optax_fixtures.py f64 ../../packages/checkpoint/test/fixtures/optax

For each optimizer: <name>-<type>.safetensors after 7 calls, which is in the middle of an accumulation where there is
one, and <name>-<type>.json with the parameters after each of the next 10. Their gradients are in gradients.json.
"""

import json
import pathlib
import sys

import jax
import numpy as np
import optax

from optax_cases import CASES, gradients_of, named, optimizer_of, parameters_of
from optax_checkpoint import save

BEFORE, AFTER = 7, 10


def values(tree):
    # The shortest text that gives the same value in the type of the array.
    return {path: [float(str(v)) for v in np.asarray(one).ravel()] for path, one in named(tree).items()}


def make(folder, name, case, dtype):
    optimizer = optimizer_of(case)
    params = parameters_of(name, dtype)
    state = optimizer.init(params)
    expected = []
    for i, gradient in enumerate(gradients_of(name, BEFORE + AFTER, dtype)):
        if i == BEFORE:
            save(folder / f"{name}-{dtype}.safetensors", params, state, case)
        updates, state = optimizer.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        if i >= BEFORE:
            expected.append(values(params))
    (folder / f"{name}-{dtype}.json").write_text(json.dumps(expected) + "\n")


def main(dtype, folder, *names):
    jax.config.update("jax_enable_x64", dtype == "f64")
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    gradients = {
        shapes: [values(one) for one in gradients_of(name, BEFORE + AFTER, "f32")[BEFORE:]]
        for shapes, name in {"network": "adam", "matrices": "muon"}.items()
    }
    (folder / "gradients.json").write_text(json.dumps(gradients) + "\n")
    for name, case in CASES.items():
        if not names or name in names:
            make(folder, name, case, dtype)
            print(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
