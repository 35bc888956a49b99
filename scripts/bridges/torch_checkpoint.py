"""Saves and loads a PyTorch model with its optimizer as a safetensors file that gradstep reads and writes.

Copy this file into your project. It needs torch and safetensors.

    from torch_checkpoint import load, save

    save("run.safetensors", model, optimizer, scheduler)
    scheduler = load("run.safetensors", model, optimizer)

The file has `model.<name>` for everything in `model.state_dict()`, `state.<name>.<key>` for everything in the
optimizer's state (`exp_avg`, `exp_avg_sq`, `step`, ...), and JSON under `optimizer` in its metadata: the class of the
optimizer, its `param_groups` with the names of their parameters, the names of frozen parameters, and the scheduler.
Everything is found by its name, never by its order.
"""

import json
import os
import warnings

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.optim import lr_scheduler

# How PyTorch computes, not what: these stay as they are in the program that loads the file.
HOW = {"foreach", "fused", "capturable", "differentiable"}


def save(path, model, optimizer, scheduler=None):
    """Writes the model, the optimizer and the scheduler, which must be stepped after each step of the optimizer."""
    names = names_of(model, optimizer)
    tensors = {f"model.{name}": value for name, value in entries_of(model).items()}
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            if value is not None:  # SGD has momentum_buffer = None before the first step.
                tensors[f"state.{names[parameter]}.{key}"] = torch.as_tensor(value)
    description = {
        "version": 1,
        "class": type(optimizer).__name__,
        "param_groups": [
            {
                "param_names": [names[parameter] for parameter in group["params"]],
                **{key: plain(value) for key, value in group.items() if key not in {"params", "param_names", *HOW}},
            }
            for group in optimizer.param_groups
        ],
        "frozen": [name for parameter, name in names.items() if not parameter.requires_grad],
        "scheduler": None if scheduler is None else scheduler_arguments(scheduler),
        "last_epoch": None if scheduler is None else scheduler.last_epoch,
    }
    save_file(
        {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()},
        f"{path}.tmp",
        metadata={"format": "pt", "optimizer": json.dumps(description, allow_nan=False)},
    )
    # Only now is the file of that name replaced, if there is one.
    os.replace(f"{path}.tmp", path)


def load(path, model, optimizer):
    """Loads a file into a model and an optimizer of the same class. Returns its scheduler, at its position, or None.

    The optimizer keeps the groups that it has; each gets the options that its parameters have in the file. Raises
    ValueError, before anything is changed, if the names, shapes or groups do not fit.
    """
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    if "optimizer" not in metadata:
        raise ValueError(f"{path} has no optimizer in its metadata; write it with save() or gradstep's writeTorch().")
    saved = json.loads(metadata["optimizer"])
    if saved["version"] != 1:
        raise ValueError(f"{path} has version {saved['version']}; this script reads version 1. Get its newer form.")
    if saved["class"] != type(optimizer).__name__:
        raise ValueError(f"{path} is of {saved['class']}; the optimizer is {type(optimizer).__name__}. Make the same.")

    names = names_of(model, optimizer)
    entries = entries_of(model)
    values = {key[len("model.") :]: value for key, value in tensors.items() if key.startswith("model.")}
    check_names(f"model in {path}", values, entries)
    for name, entry in entries.items():
        if entry.shape != values[name].shape:
            raise ValueError(f"{name} is {list(entry.shape)} here and {list(values[name].shape)} in {path}.")
    options = {name: group for group in saved["param_groups"] for name in group["param_names"]}
    check_names(f"optimizer in {path}", options, names.values())
    groups = [options_of(group, names, options) for group in optimizer.param_groups]

    state = {}
    for key, value in tensors.items():
        if key.startswith("state."):
            name, _, entry = key[len("state.") :].rpartition(".")
            if name not in options:
                raise ValueError(f"{path} has {key}, but {name!r} is in none of its groups.")
            state.setdefault(name, {})[entry] = value

    model.load_state_dict(values, strict=False)  # Tied parameters are in the file once.
    order = [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]
    whole = optimizer.state_dict()
    whole["state"] = {i: state[name] for i, name in enumerate(order) if name in state}
    optimizer.load_state_dict(whole)
    for parameter, name in names.items():
        parameter.requires_grad_(name not in saved["frozen"])
        if "mu_product" in state.get(name, {}):  # load_state_dict gives it the type of the parameter.
            device = optimizer.state[parameter]["mu_product"].device
            optimizer.state[parameter]["mu_product"] = state[name]["mu_product"].to(device)
    for group, own in zip(optimizer.param_groups, groups):
        set_options(group, own)
    if saved["scheduler"] is None:
        return None
    return scheduler_at(saved["last_epoch"], saved["scheduler"], optimizer, groups)


def entries_of(model):
    """Parameters and buffers by name; those with several names (tied weights) by the first."""
    firsts = {}
    entries = {}
    for name, value in model.state_dict(keep_vars=True).items():
        if torch.is_tensor(value) and firsts.setdefault(id(value), name) == name:
            entries[name] = value
    return entries


def names_of(model, optimizer):
    """The name of each parameter of the optimizer."""
    every = {parameter: name for name, parameter in model.named_parameters()}
    names = {}
    for i, group in enumerate(optimizer.param_groups):
        for parameter in group["params"]:
            if parameter not in every:
                raise ValueError(
                    f"Group {i} of the optimizer has a parameter of shape {list(parameter.shape)} that the model does "
                    "not have. Pass the model whose parameters the optimizer was made with; put several into one "
                    "torch.nn.ModuleDict."
                )
            names[parameter] = every[parameter]
    return names


def check_names(what, got, expected):
    missing = [name for name in expected if name not in got]
    unknown = [name for name in got if name not in expected]
    if missing or unknown:
        raise ValueError(f"The {what}: {missing or 'none'} missing; {unknown or 'none'} unknown here.")


def options_of(group, names, options):
    """The options in the file that the parameters of a group have."""
    found = {}
    for parameter in group["params"]:
        name = names[parameter]
        own = {key: value for key, value in options[name].items() if key != "param_names"}
        found.setdefault(json.dumps(own, sort_keys=True), (name, own))
    if len(found) > 1:
        (first, one), (second, other) = list(found.values())[:2]
        different = {key: (one[key], other.get(key)) for key in one if one[key] != other.get(key)}
        raise ValueError(
            f"{first!r} and {second!r} are in one group here, and have different options in the file, {different}. "
            "Put them into groups of their own."
        )
    return next((own for _, own in found.values()), {})


def set_options(group, options):
    for key, value in options.items():
        if torch.is_tensor(group.get(key)):
            group[key].fill_(value)
        else:
            group[key] = tuple(value) if isinstance(value, list) else value


def plain(value):
    """An option as JSON has it."""
    if torch.is_tensor(value):
        return value.item()
    return [plain(one) for one in value] if isinstance(value, (tuple, list)) else value


def same(name, values):
    """The value that all groups have."""
    if len(set(values)) == 1:
        return values[0]
    raise ValueError(f"The scheduler has a {name} of its own for each group, {values}; expected the same for all.")


def scheduler_arguments(scheduler):
    """The class of a scheduler as `name`, and the arguments of its constructor."""
    name = type(scheduler).__name__
    attributes = {
        "StepLR": ["step_size", "gamma"],
        "ExponentialLR": ["gamma"],
        "CosineAnnealingLR": ["T_max", "eta_min"],
        "CosineAnnealingWarmRestarts": ["T_0", "T_mult", "eta_min"],
        "LinearLR": ["start_factor", "end_factor", "total_iters"],
        "ConstantLR": ["factor", "total_iters"],
        "PolynomialLR": ["total_iters", "power"],
    }
    if name in attributes:
        return {"name": name, **{key: getattr(scheduler, key) for key in attributes[name]}}
    if name == "MultiStepLR":
        return {"name": name, "milestones": sorted(scheduler.milestones.elements()), "gamma": scheduler.gamma}
    if name == "SequentialLR":
        return {
            "name": name,
            "schedulers": [scheduler_arguments(one) for one in scheduler._schedulers],
            "milestones": scheduler._milestones,
        }
    groups = scheduler.optimizer.param_groups if name in {"OneCycleLR", "CyclicLR"} else []
    cycles = bool(groups) and scheduler.cycle_momentum
    momentum = {
        key: same(key, [group[key] for group in groups]) for key in ("base_momentum", "max_momentum") if cycles
    }
    if name == "OneCycleLR":
        first, *_ = groups
        return {
            "name": name,
            "max_lr": same("max_lr", [group["max_lr"] for group in groups]),
            "total_steps": scheduler.total_steps,
            "pct_start": (scheduler._schedule_phases[0]["end_step"] + 1) / scheduler.total_steps,
            "anneal_strategy": "linear" if scheduler._anneal_func_type == "linear" else "cos",
            "div_factor": first["max_lr"] / first["initial_lr"],
            "final_div_factor": first["initial_lr"] / first["min_lr"],
            "three_phase": len(scheduler._schedule_phases) == 3,
            "cycle_momentum": cycles,
            **momentum,
        }
    if name == "CyclicLR" and getattr(scheduler, "_scale_fn_custom", None) is None:
        up = scheduler.total_size * scheduler.step_ratio
        down = scheduler.total_size - up
        return {
            "name": name,
            "base_lr": same("base_lr", scheduler.base_lrs),
            "max_lr": same("max_lr", scheduler.max_lrs),
            "step_size_up": round(up),
            "step_size_down": None if round(down) == round(up) else round(down),
            "mode": scheduler.mode,
            "gamma": scheduler.gamma,
            "cycle_momentum": cycles,
            **momentum,
        }
    raise ValueError(
        f"{name} is a function, a product of schedulers, or depends on more than the number of steps, "
        "so that it cannot be saved as data. "
        "Save without the scheduler: the current learning rate is in the file."
    )


def scheduler_at(position, arguments, optimizer, groups):
    """A scheduler that was stepped `position` times."""
    for group, own in zip(optimizer.param_groups, groups):
        set_options(group, {"lr": own.get("initial_lr", own.get("lr", 0))})
        group.pop("initial_lr", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The optimizer takes no steps meanwhile.
        scheduler = make_scheduler(optimizer, arguments)
        for _ in range(position):
            scheduler.step()
    for group, own in zip(optimizer.param_groups, groups):
        set_options(group, own)
    return scheduler


def make_scheduler(optimizer, arguments):
    rest = {key: value for key, value in arguments.items() if key not in {"name", "schedulers"}}
    if "schedulers" in arguments:
        rest["schedulers"] = [make_scheduler(optimizer, one) for one in arguments["schedulers"]]
    return getattr(lr_scheduler, arguments["name"])(optimizer, **rest)
