"""Checks that Keras continues from gradstep's checkpoints as gradstep does.

    pnpm build
    node scripts/bridges/write_keras_checkpoints.mjs DIRECTORY
    KERAS_BACKEND=jax python scripts/bridges/check_keras.py DIRECTORY float32
    KERAS_BACKEND=jax python scripts/bridges/check_keras.py DIRECTORY float64

Loads each .keras file with load_model, and each .weights.h5 file with load_weights into a new model of the same kind.
Prints the largest difference in any value of the next ten calls, relative to the largest magnitude that the element has
had. Fails above 1e-6 in float32 and 1e-12 in float64.

On all its backends but TensorFlow, Keras promotes float64 to float32 ("Force to be 32-bit dtype"): in ops.mean and ops.norm
on JAX, in ops.maximum and ops.minimum on PyTorch, too. Means in Adafactor and norms in Muon and in clipping are then of
float32. A case in float64 that is above the limit is therefore compared a second time, with a Keras that keeps float64: this
must be below the limit, and the first comparison below that of float32.
"""

import base64
import contextlib
import json
import os
import pathlib
import sys
import warnings

directory, floatx = sys.argv[1:3]
os.environ.setdefault("KERAS_BACKEND", "jax")
if floatx == "float64":
    os.environ["JAX_ENABLE_X64"] = "1"

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras.src.backend.common import dtypes  # noqa: E402

keras.config.set_floatx(floatx)
LIMITS = {"float32": 1e-6, "float64": 1e-12}
# LossScaleOptimizer forgets the product of momenta of Nadam: on JAX at each step, elsewhere when it is saved.
FORGETFUL = {"nadam-dynamic-loss-scale"}
# A warning says that the optimizer's variables were not loaded.
warnings.filterwarnings("error", message=".*optimizer.*")


def decode(text):
    return np.frombuffer(base64.b64decode(text), "<f8")


@contextlib.contextmanager
def float64_kept():
    """Keras without its promotion of float64 to float32."""
    table = dtypes.BIT64_TO_BIT32_DTYPE
    promoted = table["float64"]
    table["float64"] = "float64"
    try:
        yield
    finally:
        table["float64"] = promoted


def load(path):
    if path.suffix == ".keras":
        return keras.models.load_model(path)
    # A new model with values of its own.
    case, _, _ = path.name.split(".", 2)
    template = keras.models.load_model(path.with_name(f"{case}.resumed.{floatx}.keras"))
    model = keras.models.model_from_json(template.to_json())
    optimizer = template.optimizer
    model.compile(optimizer=type(optimizer).from_config(optimizer.get_config()), loss="mse")
    model.optimizer.build(model.trainable_variables)
    model.load_weights(path)
    return model


def worst_difference(path):
    case, start = path.name.split(".")[:2]
    start = "resumed" if start == "layout" else start
    calls = json.loads(path.with_name(f"{case}.{start}.{floatx}.json").read_text())
    model = load(path)
    optimizer, variables = model.optimizer, model.trainable_variables
    scales = [np.abs(keras.ops.convert_to_numpy(one)).astype("float64").ravel() for one in variables]
    worst = 0.0
    for call in calls:
        gradients = [decode(one).reshape(v.shape).astype(floatx) for one, v in zip(call["gradients"], variables)]
        values = optimizer.stateless_apply(
            [one.value for one in optimizer.variables],
            [keras.ops.convert_to_tensor(one) for one in gradients],
            [one.value for one in variables],
        )
        for all_of, new in zip((variables, optimizer.variables), values):
            for variable, value in zip(all_of, new):
                variable.assign(value)
        for i, (variable, text) in enumerate(zip(variables, call["values"])):
            wanted = decode(text)
            scales[i] = np.maximum(scales[i], np.abs(wanted))
            difference = np.abs(keras.ops.convert_to_numpy(variable).astype("float64").ravel() - wanted)
            relative = np.divide(difference, scales[i], out=np.zeros_like(difference), where=difference != 0)
            worst = max(worst, float(relative.max()))
    return worst


def main():
    failed = 0
    for path in sorted(pathlib.Path(directory).glob(f"*.{floatx}.*")):
        if path.suffix == ".json":
            continue
        case, start = path.name.split(".")[:2]
        if case in FORGETFUL:
            print(f"{case:24} {floatx} {start:8} {path.suffix:6} not compared: Keras forgets a part of the state")
            continue
        worst = worst_difference(path)
        passed, note = worst <= LIMITS[floatx], ""
        if not passed and floatx == "float64":
            with float64_kept():
                kept = worst_difference(path)
            passed = worst <= LIMITS["float32"] and kept <= LIMITS["float64"]
            note = f"  Keras rounds to float32; {kept:.2e} where it keeps float64"
        failed += not passed
        print(f"{case:24} {floatx} {start:8} {path.suffix:6} {worst:.2e}{note}{'' if passed else '  FAILED'}", flush=True)
    print(f"{failed} failed")
    sys.exit(failed > 0)


main()
