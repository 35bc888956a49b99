"""Writes the files of packages/keras/test/fixtures: models as Keras saves them, and what Keras computes next.

    KERAS_BACKEND=jax python make_keras_fixtures.py FLOATX FOLDER        # FLOATX: float32 or float64

For each case: FOLDER/<case>.<floatx>.keras, and in FOLDER/steps.<floatx>.json the gradients and the values of all
trainable variables after each of the next 10 calls of optimizer.apply. Made with Keras 3.15.1 and JAX.

With KERAS_BACKEND=torch, it adds the cases that Keras computes wrongly on JAX.
"""

import base64
import json
import os
import sys

floatx, folder = sys.argv[1:3]
os.environ.setdefault("KERAS_BACKEND", "jax")
if floatx == "float64":
    os.environ["JAX_ENABLE_X64"] = "1"

import keras  # noqa: E402
import numpy as np  # noqa: E402

keras.config.set_floatx(floatx)
optimizers = keras.optimizers
layers = keras.layers

# In float32, Keras computes beta ** t from a beta that is rounded, so that its steps are off by up to 1e-5 until this power
# is small. Files of this type are written then.
CALLS_BEFORE, CALLS_AFTER = (7 if floatx == "float64" else 8003), 10


def sequential():
    return keras.Sequential([
        keras.Input((3,)),
        layers.Dense(2, name="features"),
        layers.BatchNormalization(name="norm"),
        layers.Dense(2, name="head"),
    ])


def functional():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="in"), layers.Dropout(0.1)], name="inner")
    given = keras.Input((3,))
    x = inner(given)
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.Reshape((2, 2))(x)
    x = layers.MultiHeadAttention(2, 2, name="attention")(x, x)
    x = layers.Bidirectional(layers.LSTM(2), name="both")(x)
    frozen = layers.Dense(1, trainable=False, name="frozen")(x)
    return keras.Model(given, layers.Dense(1, name="out")(x) + frozen)


def embedding():
    return keras.Sequential([
        keras.Input((3,), dtype="int32"),
        layers.Embedding(4, 3, name="embedding"),
        layers.Flatten(),
        layers.Dense(2, name="features"),
    ])


def convolution():
    return keras.Sequential([
        keras.Input((6, 2)),
        layers.Conv1D(3, 2, name="conv"),
        layers.GroupNormalization(1, name="norm"),
        layers.Flatten(),
        layers.Dense(1, name="out"),
    ])


decay = optimizers.schedules.ExponentialDecay(0.02, 900, 0.9)
# The scale changes in the calls after the file was written.
growth = 3 if floatx == "float64" else 667

CASES = {
    "sgd": (sequential, lambda: optimizers.SGD(0.05)),
    "sgd-momentum": (sequential, lambda: optimizers.SGD(0.05, momentum=0.9)),
    "sgd-nesterov": (sequential, lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01)),
    "adam": (sequential, lambda: optimizers.Adam(0.01)),
    "adam-amsgrad": (sequential, lambda: optimizers.Adam(0.01, amsgrad=True, clipnorm=0.5)),
    "adam-ema": (sequential, lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4)),
    "adam-schedule": (sequential, lambda: optimizers.Adam(decay, global_clipnorm=1.0)),
    "adam-accumulation": (sequential, lambda: optimizers.Adam(0.01, gradient_accumulation_steps=4)),
    "adam-loss-scale": (sequential, lambda: optimizers.Adam(0.01, loss_scale_factor=8.0, gradient_accumulation_steps=3)),
    "adam-dynamic-loss-scale": (
        sequential,
        lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.01), initial_scale=4.0, dynamic_growth_steps=growth),
    ),
    "adamw": (sequential, lambda: optimizers.AdamW(0.01, weight_decay=0.02)),
    "nadam": (sequential, lambda: optimizers.Nadam(0.01)),
    "rmsprop": (sequential, lambda: optimizers.RMSprop(0.01)),
    "rmsprop-centered": (sequential, lambda: optimizers.RMSprop(0.01, momentum=0.9, centered=True)),
    "adagrad": (sequential, lambda: optimizers.Adagrad(0.05)),
    "adadelta": (sequential, lambda: optimizers.Adadelta(0.5)),
    "adamax": (sequential, lambda: optimizers.Adamax(0.01)),
    "ftrl": (
        sequential,
        lambda: optimizers.Ftrl(0.05, l1_regularization_strength=0.001, l2_regularization_strength=0.01, beta=0.1),
    ),
    "lion": (sequential, lambda: optimizers.Lion(0.005)),
    "lamb": (sequential, lambda: optimizers.Lamb(0.01)),
    "adafactor": (convolution, lambda: optimizers.Adafactor(0.01)),
    "muon": (embedding, lambda: optimizers.Muon(0.01, exclude_layers=["head"])),
    "schedule-free-adamw": (sequential, lambda: optimizers.ScheduleFreeAdamW(0.01, warmup_steps=4)),
    "functional": (functional, lambda: optimizers.Adam(0.01)),
}

# On JAX, LossScaleOptimizer forgets the product of momenta of Nadam at each step.
TORCH_CASES = {
    "nadam-dynamic-loss-scale": (
        sequential,
        lambda: optimizers.LossScaleOptimizer(optimizers.Nadam(0.01), initial_scale=4.0, dynamic_growth_steps=growth),
    ),
}


def encode(array):
    return base64.b64encode(np.asarray(array, "<f8").tobytes()).decode()


def main():
    os.makedirs(folder, exist_ok=True)
    is_torch = keras.config.backend() == "torch"
    path = os.path.join(folder, f"steps.{floatx}.json")
    steps = {}
    if is_torch:
        with open(path) as file:
            steps = json.load(file)
    else:
        import jax
    for name, (make_model, make_optimizer) in (TORCH_CASES if is_torch else CASES).items():
        keras.utils.set_random_seed(7)
        keras.utils.clear_session()
        model = make_model()
        model.compile(optimizer=make_optimizer(), loss="mse")
        variables = model.trainable_variables
        model.optimizer.build(variables)
        random = np.random.default_rng(11)

        def gradients():
            return [random.standard_normal(one.shape).astype("float32").astype(floatx) for one in variables]

        compute = None if is_torch else jax.jit(model.optimizer.stateless_apply)

        def apply(grads):
            if is_torch:
                model.optimizer.apply([keras.ops.convert_to_tensor(one) for one in grads], variables)
                return
            # As fit does with JAX, where LossScaleOptimizer has no other way.
            optimizer = model.optimizer
            values = compute(
                [one.value for one in optimizer.variables],
                [keras.ops.convert_to_tensor(one) for one in grads],
                [one.value for one in variables],
            )
            for all_of, new in zip((variables, optimizer.variables), values):
                for variable, value in zip(all_of, new):
                    variable.assign(value)

        for _ in range(CALLS_BEFORE):
            apply(gradients())
        model.save(os.path.join(folder, f"{name}.{floatx}.keras"))
        if name == "adam-amsgrad":
            model.save_weights(os.path.join(folder, f"{name}.{floatx}.weights.h5"))
        calls = []
        for _ in range(CALLS_AFTER):
            grads = gradients()
            apply(grads)
            calls.append({
                "gradients": [encode(one) for one in grads],
                "values": [encode(keras.ops.convert_to_numpy(one)) for one in variables],
            })
        steps[name] = {"variables": [one.path for one in variables], "calls": calls}
    with open(path, "w") as file:
        json.dump(steps, file)
        file.write("\n")


main()
