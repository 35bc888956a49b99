"""Tests of torch_checkpoint.py: python -m unittest discover scripts/bridges"""

import pathlib
import tempfile
import unittest

import torch
from torch.optim import lr_scheduler
from torch_checkpoint import load, save


def network(*sizes):
    return torch.nn.Sequential(*(torch.nn.Linear(*size) for size in zip(sizes, sizes[1:])))


def train(model, optimizer, steps=3):
    inputs = next(model.parameters()).new_ones(1, 3)
    for _ in range(steps):
        optimizer.zero_grad()
        model(inputs).sum().backward()
        optimizer.step()


class TiedNetwork(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(3, 3)
        self.second = torch.nn.Linear(3, 3)
        self.second.weight = self.first.weight

    def forward(self, inputs):
        return self.second(self.first(inputs))


class TorchCheckpointTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "run.safetensors"
        self.model = network(3, 2, 1)
        self.optimizer = torch.optim.AdamW(self.model.parameters())
        train(self.model, self.optimizer)
        save(self.path, self.model, self.optimizer)

    def assert_refused(self, message, model, make=torch.optim.AdamW, parameters=None):
        optimizer = make(model.parameters() if parameters is None else parameters)
        before = [value.clone() for value in model.parameters()]
        with self.assertRaisesRegex(ValueError, message):
            load(self.path, model, optimizer)
        self.assertTrue(all(map(torch.equal, model.parameters(), before)))
        self.assertEqual(len(optimizer.state), 0)

    def test_the_order_of_parameters_does_not_matter(self):
        model = network(3, 2, 1)
        optimizer = torch.optim.AdamW(reversed(list(model.parameters())))
        load(self.path, model, optimizer)
        train(model, optimizer)
        train(self.model, self.optimizer)
        self.assertTrue(all(map(torch.equal, model.parameters(), self.model.parameters())))

    def test_what_does_not_fit_is_refused(self):
        self.assert_refused("1.bias.*unknown here", network(3, 2))
        self.assert_refused(r"2.weight.*missing", network(3, 2, 1, 1))
        self.assert_refused(r"0.weight is \[4, 3\] here and \[2, 3\]", network(3, 4, 1))
        self.assert_refused("is of AdamW; the optimizer is Adam", network(3, 2, 1), torch.optim.Adam)
        model = network(3, 2, 1)
        self.assert_refused("1.weight.*unknown here", model, parameters=model[0].parameters())
        self.assert_refused("the model does not have", network(3, 2, 1), parameters=model.parameters())

    def test_groups_that_differ_in_the_file_cannot_be_one(self):
        groups = [{"params": layer.parameters(), "lr": rate} for layer, rate in zip(self.model, (0.1, 0.2))]
        save(self.path, self.model, torch.optim.AdamW(groups))
        self.assert_refused(r"different options in the file, \{'lr': \(0.1, 0.2\)\}", network(3, 2, 1))

    def test_other_files_are_refused(self):
        from safetensors.torch import save_file

        save_file(self.model.state_dict(), self.path)
        self.assert_refused("no optimizer in its metadata", network(3, 2, 1))

    def test_schedulers_that_are_no_data_are_refused(self):
        for scheduler in (
            lr_scheduler.LambdaLR(self.optimizer, lambda step: 1 / (step + 1)),
            lr_scheduler.ReduceLROnPlateau(self.optimizer),
        ):
            with self.assertRaisesRegex(ValueError, "cannot be saved as data"):
                save(self.path, self.model, self.optimizer, scheduler)

    def test_tied_weights_stay_tied(self):
        model, other = TiedNetwork(), TiedNetwork()
        optimizer, resumed = (torch.optim.Adam(one.parameters()) for one in (model, other))
        train(model, optimizer)
        save(self.path, model, optimizer)
        load(self.path, other, resumed)
        self.assertIs(other.second.weight, other.first.weight)
        train(model, optimizer)
        train(other, resumed)
        self.assertTrue(all(map(torch.equal, model.parameters(), other.parameters())))

    def test_rates_that_are_tensors_stay_tensors(self):
        model = network(3, 2, 1).bfloat16()
        optimizer = torch.optim.Adam(model.named_parameters(), lr=torch.tensor(0.125))
        train(model, optimizer)
        save(self.path, model, optimizer)
        other = network(3, 2, 1).bfloat16()
        resumed = torch.optim.Adam(other.parameters(), lr=torch.tensor(0.5))
        load(self.path, other, resumed)
        self.assertEqual(resumed.param_groups[0]["lr"], torch.tensor(0.125))
        train(model, optimizer)
        train(other, resumed)
        self.assertTrue(all(map(torch.equal, model.parameters(), other.parameters())))


if __name__ == "__main__":
    unittest.main()
