"""The optimizers of Optax that the fixtures are made of: names and arguments as fromOptax takes them."""

import inspect

import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib

SHAPES = {"dense": {"kernel": (3, 2), "bias": (2,)}, "scale": (1,)}
MATRICES = {"hidden": {"kernel": (4, 3), "bias": (3,)}, "wide": {"kernel": (2, 5)}}


def cases(end):
    """The cases, whose schedules have reached their last value after `end` steps."""
    linear = {"schedule": "linear", "options": {"from": 0.02, "to": 0.001, "steps": end}}
    cosine = {"schedule": "cosine-decay", "options": {"initial": 0.02, "decaySteps": end, "alpha": 0.1}}
    return {
        "sgd": {"name": "sgd", "learning_rate": 0.05},
        "sgd-momentum": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
        "sgd-schedule": {"name": "sgd", "learning_rate": linear, "momentum": 0.8},
        "adagrad": {"name": "adagrad", "learning_rate": 0.05},
        "rmsprop": {"name": "rmsprop", "learning_rate": 0.01, "eps_in_sqrt": False},
        "rmsprop-centered-momentum": {"name": "rmsprop", "learning_rate": 0.01, "centered": True, "momentum": 0.9},
        "adam": {"name": "adam", "learning_rate": 0.01, "eps": 1e-6, "eps_root": 1e-9},
        "adam-schedule": {"name": "adam", "learning_rate": cosine},
        "nadam": {"name": "nadam", "learning_rate": 0.01},
        "amsgrad": {"name": "amsgrad", "learning_rate": 0.01},
        "adamw": {"name": "adamw", "learning_rate": 0.01, "weight_decay": 0.1},
        "adamw-schedule": {"name": "adamw", "learning_rate": linear, "weight_decay": 0.1},
        "nadamw": {"name": "nadamw", "learning_rate": 0.01, "weight_decay": 0.1},
        "adamax": {"name": "adamax", "learning_rate": 0.01},
        "adamaxw": {"name": "adamaxw", "learning_rate": 0.01, "weight_decay": 0.1},
        "adadelta": {"name": "adadelta", "learning_rate": 1.0, "weight_decay": 0.1},
        "radam": {"name": "radam", "learning_rate": 0.01, "b2": 0.9},
        "adabelief": {"name": "adabelief", "learning_rate": 0.01},
        "yogi": {"name": "yogi", "learning_rate": 0.01},
        "adan": {"name": "adan", "learning_rate": 0.01, "weight_decay": 0.1},
        "adopt": {"name": "adopt", "learning_rate": 0.01},
        "ademamix": {"name": "ademamix", "learning_rate": 0.01, "weight_decay": 0.1},
        "lamb": {"name": "lamb", "learning_rate": 0.01, "weight_decay": 0.1},
        "lars": {"name": "lars", "learning_rate": 0.5, "weight_decay": 0.1, "trust_coefficient": 0.01},
        "prodigy": {"name": "prodigy", "learning_rate": 0.5, "estim_lr0": 0.001, "weight_decay": 0.1},
        # z, a random walk here, stays near the parameters: Optax computes x from their difference.
        "schedule_free_sgd": {"name": "schedule_free_sgd", "learning_rate": 0.001, "weight_decay": 0.1},
        "schedule_free_adamw": {"name": "schedule_free_adamw", "learning_rate": 0.001, "weight_decay": 0.1},
        "muon": {"name": "muon", "learning_rate": 0.01, "adam_learning_rate": 0.003, "weight_decay": 0.1},
        "lion": {"name": "lion", "learning_rate": 0.001},
        "add_decayed_weights-adam": {"name": "add_decayed_weights+adam", "weight_decay": 0.1, "learning_rate": 0.01},
        "clip-centralize-agc-sgd": {
            "name": "clip+centralize+adaptive_grad_clip+sgd",
            "max_delta": 0.5,
            "clipping": 0.1,
            "learning_rate": 0.05,
            "momentum": 0.9,
        },
        "global-norm-adamw": {"name": "clip_by_global_norm+adamw", "max_norm": 0.5, "learning_rate": 0.01},
        "scale_by_adam-chain": {
            "name": "scale_by_adam+add_decayed_weights+scale_by_trust_ratio+scale_by_learning_rate",
            "weight_decay": 0.1,
            "learning_rate": 0.02,
        },
        "scale_by_adam-block-rms-schedule": {
            "name": "scale_by_adam+clip_by_block_rms+scale_by_schedule+scale",
            "threshold": 0.7,
            "step_size_fn": linear,
            "step_size": -1,
        },
        "scale_by_amsgrad": {"name": "scale_by_amsgrad+scale", "step_size": -0.01},
        "scale_by_adamax": {"name": "scale_by_adamax+scale_by_learning_rate", "learning_rate": 0.01},
        "scale_by_radam": {"name": "scale_by_radam+scale_by_learning_rate", "learning_rate": 0.01},
        "scale_by_belief": {"name": "scale_by_belief+scale_by_learning_rate", "learning_rate": 0.01},
        "scale_by_yogi": {"name": "scale_by_yogi+scale_by_learning_rate", "learning_rate": 0.01},
        "scale_by_lion": {
            "name": "scale_by_lion+add_decayed_weights+scale_by_learning_rate",
            "weight_decay": 0.1,
            "learning_rate": 0.001,
        },
        "scale_by_rms": {"name": "scale_by_rms+scale_by_learning_rate", "learning_rate": 0.01},
        "scale_by_stddev": {"name": "scale_by_stddev+scale_by_learning_rate", "learning_rate": 0.01},
        "scale_by_rss": {"name": "scale_by_rss+scale_by_learning_rate", "learning_rate": 0.01},
        "trace": {"name": "trace+scale_by_learning_rate", "decay": 0.8, "learning_rate": 0.01},
        "identity-schedule": {"name": "identity+scale_by_learning_rate", "learning_rate": linear},
        "nonnegative": {"name": "adam+keep_params_nonnegative", "learning_rate": 0.05},
        "multi_steps": {"name": "multi_steps+adam", "every_k_schedule": 3, "learning_rate": 0.01},
        "multi_steps-finite": {
            "name": "multi_steps+apply_if_finite+clip_by_global_norm+adamw",
            "every_k_schedule": 2,
            "max_consecutive_errors": 5,
            "max_norm": 0.5,
            "learning_rate": linear,
        },
        "apply_if_finite": {"name": "apply_if_finite+adam", "max_consecutive_errors": 5, "learning_rate": 0.01},
        "apply_if_finite-sgd": {
            "name": "apply_if_finite+sgd",
            "max_consecutive_errors": 5,
            "learning_rate": 0.05,
            "momentum": 0.9,
        },
        "inject": {"name": "inject_hyperparams+adamw", "learning_rate": 0.01, "weight_decay": 0.1},
        "inject-schedule": {"name": "clip_by_global_norm+inject_hyperparams+sgd", "max_norm": 1.0, "learning_rate": linear, "momentum": 0.9},
    }


# Those with a NaN in a gradient. Not MultiSteps, which keeps a NaN forever, as NaN * 0.
NOT_FINITE = ["apply_if_finite", "apply_if_finite-sgd"]


def schedule_of(value):
    """A schedule of Optax for the data of one of gradstep's."""
    if not isinstance(value, dict):
        return value
    options = value["options"]
    if value["schedule"] == "linear":
        linear = optax.linear_schedule(options["from"], options["to"], options["steps"])
        # With an integer as count, Optax divides in f32, in programs in f64, too.
        return lambda count: linear(jnp.asarray(count, float))
    return optax.cosine_decay_schedule(options["initial"], options["decaySteps"], options["alpha"])


def optimizer_of(case):
    """The optimizer of a name with arguments."""
    parts = case["name"].split("+")
    wrappers = []
    while parts[0] in ("multi_steps", "apply_if_finite"):
        wrappers.append(parts.pop(0))
    made = []
    while parts:
        part = parts.pop(0)
        injected = part == "inject_hyperparams"
        if injected:
            part = parts.pop(0)
        factory = getattr(optax, part, None) or getattr(optax.contrib, part)
        made.append((optax.inject_hyperparams(factory) if injected else factory)(**arguments_of(factory, case)))
    optimizer = made[0] if len(made) == 1 else optax.chain(*made)
    for wrapper in reversed(wrappers):
        if wrapper == "multi_steps":
            optimizer = optax.MultiSteps(optimizer, case["every_k_schedule"])
        else:
            optimizer = optax.apply_if_finite(optimizer, case["max_consecutive_errors"])
    return optimizer


def arguments_of(factory, case):
    names = inspect.signature(factory).parameters
    return {key: schedule_of(value) for key, value in case.items() if key in names and key != "name"}


def shapes_of(name):
    return MATRICES if name == "muon" else SHAPES


def parameters_of(name, dtype):
    """The first values of the parameters."""
    return as_type(next(gradients_of(name, 1, seed=7)), dtype)


def gradients_of(name, count, seed):
    """The gradients of some calls, in f64."""
    generator = np.random.default_rng(seed)
    for _ in range(count):
        yield tree_of(shapes_of(name), lambda shape: rounded(generator, shape))


def rounded(generator, shape):
    """Normal values with few digits, exact in f32."""
    return np.round(generator.standard_normal(shape) * 256) / 256


def tree_of(shapes, make):
    return {key: make(one) if isinstance(one, tuple) else tree_of(one, make) for key, one in shapes.items()}


def as_type(tree, dtype):
    return {key: as_type(one, dtype) if isinstance(one, dict) else one.astype(dtype) for key, one in tree.items()}


def named(tree, prefix=""):
    """Arrays by their paths."""
    found = {}
    for key, one in tree.items():
        path = f"{prefix}{key}"
        found.update(named(one, f"{path}.") if isinstance(one, dict) else {path: one})
    return found
