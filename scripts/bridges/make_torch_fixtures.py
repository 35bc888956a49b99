"""Writes packages/checkpoint/test/fixtures/torch: files of PyTorch, and its parameters in the steps that follow.

The files of a case are those of `torch_cases.py`; `absent.json` has the steps after the file in which parameters have no
gradient, 0 for the first, by case and parameter; `pickle.pt` and `pickle-legacy.pt` are files of `torch.save`.

    python scripts/bridges/make_torch_fixtures.py
"""

import json
import pathlib

import numpy
import torch
from torch_cases import AFTER, BEFORE, CASES, gradients, make, step, use_exact_muon
from torch_checkpoint import save

folder = pathlib.Path(__file__).parents[2] / "packages/checkpoint/test/fixtures/torch"


def numbers(tensor):
    """The values, with as few digits as their type needs."""
    return [float(str(value)) for value in tensor.detach().numpy().astype(tensor.numpy(force=True).dtype).ravel()]


def main():
    use_exact_muon()
    numpy.set_printoptions(legacy="1.25")  # str(float32) is its digits.
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*"):
        old.unlink()
    every = gradients()
    after = [{name: numbers(value) for name, value in one.items()} for one in every[BEFORE:]]
    (folder / "gradients.json").write_text(json.dumps(after) + "\n")
    absent = {
        name: {key: sorted(number - BEFORE - 1 for number in steps if number > BEFORE) for key, steps in one["absent"].items()}
        for name, one in CASES.items()
        if one["absent"]
    }
    (folder / "absent.json").write_text(json.dumps(absent) + "\n")
    for name in CASES:
        for suffix, dtype in (("f32", torch.float32), ("f64", torch.float64)):
            model, optimizer, scheduler = make(name, dtype)
            for number in range(1, BEFORE + 1):
                step(name, model, optimizer, scheduler, number, every[number - 1])
            save(folder / f"{name}-{suffix}.safetensors", model, optimizer, scheduler)
            steps = []
            for number in range(BEFORE + 1, BEFORE + AFTER + 1):
                step(name, model, optimizer, scheduler, number, every[number - 1])
                steps.append({key: numbers(value) for key, value in model.named_parameters()})
            (folder / f"{name}-{suffix}.json").write_text(json.dumps(steps) + "\n")
    model, optimizer, _ = make("adam", torch.float32)
    pickled = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(pickled, folder / "pickle.pt")
    torch.save(pickled, folder / "pickle-legacy.pt", _use_new_zipfile_serialization=False)


main()
