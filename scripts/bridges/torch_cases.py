"""The optimizers of PyTorch that the bridge is tested with, on one small model."""

import torch
from torch.optim import lr_scheduler

BEFORE = 7  # Steps before a file is saved.
AFTER = 10  # Steps after it.


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(3, 2)
        self.layer = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2, affine=False)  # Buffers, one of them an integer.


def scheduled(name, **arguments):
    return lambda optimizer: getattr(lr_scheduler, name)(optimizer, **arguments)


def sequence(optimizer):
    parts = [
        lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=5),
        lr_scheduler.CosineAnnealingLR(optimizer, T_max=8, eta_min=1e-3),
        lr_scheduler.ConstantLR(optimizer, factor=0.1, total_iters=1000),
    ]
    return lr_scheduler.SequentialLR(optimizer, parts, milestones=[5, 13])


def case(name, scheduler=None, first=None, absent=None, frozen=(), groups=None, default=torch.float32, **options):
    """`first`: parameters by the step of their first gradient; `absent`: by parameter, the steps in which it has none;
    `groups`: options of the groups of biases and of the rest; `default`: PyTorch's default type, in which it counts steps.
    """
    return {
        "class": name,
        "options": options,
        "scheduler": scheduler,
        "first": first or {},
        "absent": absent or {},
        "frozen": frozen,
        "groups": groups,
        "default": default,
    }


decayed = [{"weight_decay": 0.0}, {"weight_decay": 0.1}]
late = {"embedding.weight": 4, "layer.bias": BEFORE + 1}
# One that has no gradient yet when the file is saved, and steps without any gradient.
absent = {"embedding.weight": {1, 2, 5, 8, 11, 12, 16}, "layer.weight": {3, 11, 13}, "layer.bias": {*range(1, 10), 11, 14}}

CASES = {
    "sgd": case("SGD", lr=0.05, weight_decay=0.01),
    "sgd-momentum": case("SGD", lr=0.05, momentum=0.9, dampening=0.1, weight_decay=0.01, maximize=True),
    "sgd-nesterov": case("SGD", lr=0.05, momentum=0.9, nesterov=True),
    "sgd-unsaved": case("SGD", lr=0.05, momentum=0.9, dampening=0.5, first=dict.fromkeys(["embedding.weight", "layer.weight", "layer.bias"], BEFORE + 1)),
    "sgd-late": case("SGD", lr=0.05, momentum=0.9, dampening=0.5, first=late),
    "adagrad": case("Adagrad", lr=0.05, lr_decay=0.1, weight_decay=0.01, initial_accumulator_value=0.2),
    "rmsprop": case("RMSprop", lr=0.01, weight_decay=0.01),
    "rmsprop-centered": case("RMSprop", lr=0.01, alpha=0.95, momentum=0.9, centered=True),
    "adam": case("Adam", lr=0.02, betas=(0.85, 0.99), eps=1e-6, weight_decay=0.01),
    "adam-amsgrad": case("Adam", lr=0.02, amsgrad=True, maximize=True),
    "adam-late": case("Adam", lr=0.02, first=late),
    "adam-absent": case("Adam", lr=0.02, weight_decay=0.01, amsgrad=True, absent=absent),
    "adam-frozen": case("Adam", lr=0.02, frozen=("layer.bias",)),
    "adamw": case("AdamW", lr=0.02, weight_decay=0.1),
    "adamw-groups": case("AdamW", groups=[{"lr": 0.01, "betas": (0.5, 0.9), "weight_decay": 0.0}, {"lr": 0.03}], amsgrad=True),
    "adamax": case("Adamax", lr=0.02, weight_decay=0.01),
    "adadelta": case("Adadelta", lr=0.8, rho=0.85, weight_decay=0.01),
    "adafactor": case("Adafactor", lr=0.05, weight_decay=0.01),
    "adafactor-options": case("Adafactor", lr=0.05, eps=(1e-5, 0.02), beta2_decay=-0.7, d=1.1, maximize=True),
    "nadam": case("NAdam", lr=0.02, weight_decay=0.01, momentum_decay=0.01),
    "nadam-late": case("NAdam", lr=0.02, weight_decay=0.01, decoupled_weight_decay=True, first=late),
    "nadam-default-f64": case("NAdam", lr=0.02, default=torch.float64),
    "nadam-absent": case("NAdam", lr=0.02, absent=absent),
    "radam-absent": case("RAdam", lr=0.02, absent=absent),
    "sgd-absent": case("SGD", lr=0.05, momentum=0.9, dampening=0.5, absent=absent),
    "adafactor-absent": case("Adafactor", lr=0.05, absent=absent),
    "adamw-absent-lr": case("AdamW", scheduled("ExponentialLR", gamma=0.9), groups=decayed, lr=0.02, absent={**absent, "layer.weight": {11, 13}}),
    "radam": case("RAdam", lr=0.02, weight_decay=0.01, decoupled_weight_decay=True),
    "muon": case("Muon", lr=0.02, weight_decay=0.1),
    "muon-options": case("Muon", lr=0.02, momentum=0.8, nesterov=False, ns_steps=3, ns_coefficients=(3.0, -4.0, 2.0), adjust_lr_fn="match_rms_adamw"),
    "step-lr": case("AdamW", scheduled("StepLR", step_size=4, gamma=0.5), lr=0.02, groups=[{"lr": 0.01}, {"lr": 0.03}]),
    "multi-step-lr": case("SGD", scheduled("MultiStepLR", milestones=[3, 9, 9, 12], gamma=0.6), lr=0.1, momentum=0.9),
    "exponential-lr": case("Adam", scheduled("ExponentialLR", gamma=0.9), lr=0.02),
    "cosine-lr": case("AdamW", scheduled("CosineAnnealingLR", T_max=12, eta_min=1e-3), lr=0.02, groups=decayed),
    "warm-restarts-lr": case("SGD", scheduled("CosineAnnealingWarmRestarts", T_0=3, T_mult=2, eta_min=1e-3), lr=0.1),
    "one-cycle-lr": case("SGD", scheduled("OneCycleLR", max_lr=0.2, total_steps=20, pct_start=0.4), lr=0.1, momentum=0.9),
    "one-cycle-betas": case("Adam", scheduled("OneCycleLR", max_lr=0.02, total_steps=20, anneal_strategy="linear"), lr=0.1),
    "cyclic-lr": case("SGD", scheduled("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=4, mode="triangular2"), lr=0.1, momentum=0.9),
    "linear-lr": case("Adam", scheduled("LinearLR", start_factor=0.2, total_iters=11), lr=0.02),
    "constant-lr": case("Adam", scheduled("ConstantLR", factor=0.2, total_iters=11), lr=0.02),
    "polynomial-lr": case("Adam", scheduled("PolynomialLR", total_iters=15, power=2), lr=0.02),
    "sequential-lr": case("SGD", sequence, lr=0.1, momentum=0.9),
}


def make(name, dtype):
    """A new model, optimizer and scheduler (or None) of a case."""
    one = CASES[name]
    torch.set_default_dtype(one["default"])
    torch.manual_seed(15)
    model = Model().to(dtype)
    parameters = dict(model.named_parameters())
    for parameter in one["frozen"]:
        parameters[parameter].requires_grad_(False)
    if one["class"] == "Muon":
        parameters = {key: value for key, value in parameters.items() if value.ndim == 2}
    if one["groups"] is None:
        groups = list(parameters.values())
    else:
        biases, rest = one["groups"]
        groups = [
            {"params": [value for key, value in parameters.items() if key.endswith("bias")], **biases},
            {"params": [value for key, value in parameters.items() if not key.endswith("bias")], **rest},
        ]
    optimizer = getattr(torch.optim, one["class"])(groups, **one["options"])
    return model, optimizer, one["scheduler"] and one["scheduler"](optimizer)


def gradients():
    """By step and parameter: the same for all cases."""
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(16)
    parameters = dict(Model().named_parameters())
    return [
        {name: torch.randn(value.shape) * 10 ** (step % 3 - 1) for name, value in parameters.items()}
        for step in range(BEFORE + AFTER)
    ]


def step(name, model, optimizer, scheduler, number, gradient):
    """Takes step `number`; the first is 1."""
    one = CASES[name]
    for key, parameter in model.named_parameters():
        is_absent = number < one["first"].get(key, 1) or number in one["absent"].get(key, ())
        has_gradient = parameter.requires_grad and not is_absent
        parameter.grad = gradient[key].to(parameter.dtype) if has_gradient else None
    optimizer.step()
    if scheduler is not None:
        scheduler.step()


def use_exact_muon():
    """Lets PyTorch's Muon iterate in the type of the gradient. It does so in bfloat16, with two to three digits."""

    def orthogonal(gradient, coefficients, steps, eps):
        a, b, c = coefficients
        x = gradient.T if gradient.size(0) > gradient.size(1) else gradient
        x = x / x.norm().clamp(min=eps)
        for _ in range(steps):
            gram = x @ x.T
            x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
        return x.T if gradient.size(0) > gradient.size(1) else x

    torch.optim._muon._zeropower_via_newtonschulz = orthogonal
