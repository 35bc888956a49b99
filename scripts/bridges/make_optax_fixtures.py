"""Writes the fixtures of the Optax bridge: checkpoints by real Optax, and its next 10 steps.

    python make_optax_fixtures.py f32 ../../packages/checkpoint/test/fixtures/optax
    python make_optax_fixtures.py f64 ../../packages/checkpoint/test/fixtures/optax

For each optimizer: <name>-<type>.safetensors, saved in the middle of a run (and of an accumulation, where there is one),
and <name>-<type>.json with the parameters after each of the next 10 calls. Their gradients are in gradients.json.
"""

import json
import pathlib
import sys

import jax
import numpy as np
import optax

from optax_cases import NOT_FINITE, as_type, cases, gradients_of, named, optimizer_of, parameters_of
from optax_checkpoint import save

# Optax raises b2 to the power of the count in f32. The error of 0.999 as an f32 grows with it: an f32 run differs from an
# f64 run by up to 1e-5 of the update until the power has vanished, after some 20,000 steps.
BEFORE = {"f32": 20009, "f64": 1007}
AFTER = 10


def values(tree):
    # The shortest text that gives the same value in the type of the array.
    return {path: [float(str(v)) for v in np.asarray(one).ravel()] for path, one in named(tree).items()}


def make(folder, name, case, label):
    dtype = {"f32": np.float32, "f64": np.float64}[label]
    optimizer = optimizer_of(case)
    params = parameters_of(name, dtype)
    state = optimizer.init(params)

    @jax.jit
    def step(gradient, params, state):
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state

    for i, gradient in enumerate(gradients_of(name, BEFORE[label], seed=11)):
        if name in NOT_FINITE and i == BEFORE[label] - 2:
            gradient["scale"][0] = np.nan
        params, state = step(as_type(gradient, dtype), params, state)
    save(folder / f"{name}-{label}.safetensors", params, state, case)
    expected = []
    for gradient in gradients_of(name, AFTER, seed=13):
        params, state = step(as_type(gradient, dtype), params, state)
        expected.append(values(params))
    (folder / f"{name}-{label}.json").write_text(json.dumps(expected) + "\n")


def main(label, folder, *names):
    jax.config.update("jax_enable_x64", label == "f64")
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    gradients = {
        shapes: [values(one) for one in gradients_of(name, AFTER, seed=13)]
        for shapes, name in {"network": "adam", "matrices": "muon"}.items()
    }
    (folder / "gradients.json").write_text(json.dumps(gradients) + "\n")
    for name, case in cases(end=BEFORE[label] + 4).items():
        if not names or name in names:
            make(folder, name, case, label)
            print(name, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
