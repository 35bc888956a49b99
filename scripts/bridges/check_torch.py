"""Checks that PyTorch continues from gradstep's checkpoints as gradstep does.

    pnpm build
    node scripts/bridges/write_torch_checkpoints.mjs DIRECTORY
    python scripts/bridges/check_torch.py DIRECTORY

With `packages/checkpoint/test/fixtures/torch` as the directory, it checks that PyTorch continues from its own.

Prints, for each checkpoint, the largest difference in any value of the next ten steps, relative to the largest magnitude
that the element has had. Fails above 1e-6 in f32 and 1e-12 in f64.
"""

import json
import pathlib
import sys

import torch
from torch_cases import AFTER, BEFORE, gradients, make, step, use_exact_muon
from torch_checkpoint import load

LIMITS = {torch.float32: 1e-6, torch.float64: 1e-12}


def worst_difference(path, name, dtype, every, numbers):
    model, optimizer, _ = make(name, dtype)
    for group in optimizer.param_groups:
        group["lr"] = 123.0  # The file has the options that count.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(123.0)
    scheduler = load(path, model, optimizer)
    parameters = dict(model.named_parameters())
    expected = json.loads(path.with_suffix(".json").read_text())
    scales = {key: value.detach().double().abs() for key, value in parameters.items()}
    worst = 0.0
    for values, gradient, number in zip(expected, every[BEFORE:], numbers):
        step(name, model, optimizer, scheduler, number, gradient)
        for key, one in values.items():
            wanted = torch.tensor(one, dtype=dtype).double().reshape(parameters[key].shape)
            scales[key] = torch.maximum(scales[key], wanted.abs())
            difference = (parameters[key].detach().double() - wanted).abs()
            relative = torch.where(difference == 0, 0.0, difference / scales[key])
            worst = max(worst, relative.nan_to_num(nan=torch.inf).max().item())
    return worst


def main():
    use_exact_muon()
    every = gradients()
    failed = 0
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.safetensors")):
        case, suffix = path.stem.rsplit("-", 1)
        start, _, name = case.rpartition(".")
        dtype = {"f32": torch.float32, "f64": torch.float64}[suffix]
        # In gradstep's steps all parameters have gradients, as in PyTorch's last one.
        numbers = [BEFORE + AFTER] * AFTER if start else range(BEFORE + 1, BEFORE + AFTER + 1)
        worst = worst_difference(path, name, dtype, every, numbers)
        passed = worst <= LIMITS[dtype]
        failed += not passed
        print(f"{name:20} {suffix} {start or 'PyTorch':26} {worst:.2e}{'' if passed else '  FAILED'}")
    print(f"{failed} failed")
    sys.exit(failed > 0)


main()
