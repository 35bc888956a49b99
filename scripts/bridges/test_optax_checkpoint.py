"""Tests of optax_checkpoint.py: python -m unittest discover scripts/bridges"""

import pathlib
import tempfile
import unittest

import jax
import jax.numpy as jnp
import numpy as np
import optax
from optax_checkpoint import load, read_optimizer, save
from safetensors import safe_open

OPTIMIZER = {"name": "adam", "learning_rate": 0.5}


def params():
    return {"dense": {"kernel": jnp.arange(6.0).reshape(2, 3), "bias": jnp.ones(3)}, "layers": [jnp.zeros(()), jnp.ones(2)]}


def trained(optimizer, tree):
    state = optimizer.init(tree)
    updates, state = optimizer.update(tree, state, tree)
    return optax.apply_updates(tree, updates), state


class OptaxCheckpoint(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = str(pathlib.Path(folder.name, "run.safetensors"))

    def assertSame(self, one, other):
        self.assertEqual(jax.tree_util.tree_structure(one), jax.tree_util.tree_structure(other))
        for left, right in zip(jax.tree_util.tree_leaves(one), jax.tree_util.tree_leaves(other)):
            self.assertEqual(np.asarray(left).dtype, np.asarray(right).dtype)
            np.testing.assert_array_equal(left, right)

    def test_what_was_saved_is_loaded(self):
        optimizer = optax.chain(optax.clip(1.0), optax.apply_if_finite(optax.adam(0.5), 3))
        tree, state = trained(optimizer, params())
        save(self.path, tree, state, {"name": "clip+apply_if_finite+adam"}, steps=1)
        loaded, loaded_state = load(self.path, params(), optimizer)
        self.assertSame(tree, loaded)
        self.assertSame(state, loaded_state)

    def test_arrays_have_their_paths(self):
        tree, state = trained(optax.adam(0.5), params())
        save(self.path, tree, state, OPTIMIZER)
        with safe_open(self.path, framework="numpy") as file:
            self.assertIn("params.layers.1", file.keys())
            self.assertIn("opt_state.0.mu.dense.kernel", file.keys())
            self.assertIn("opt_state.0.count", file.keys())
        self.assertEqual(read_optimizer(self.path), OPTIMIZER)

    def test_an_optimizer_need_not_be_named(self):
        tree, state = trained(optax.adam(0.5), params())
        save(self.path, tree, state)
        self.assertIsNone(read_optimizer(self.path))

    def test_everything_that_does_not_fit_is_in_one_error(self):
        tree, state = trained(optax.adam(0.5), params())
        save(self.path, tree, state, OPTIMIZER)
        other = {**params(), "dense": {"kernel": jnp.ones((3, 2)), "scale": jnp.ones(3)}}
        with self.assertRaises(ValueError) as raised:
            load(self.path, other, optax.sgd(0.5, momentum=0.9))
        message = str(raised.exception)
        self.assertIn('{"name": "adam", "learning_rate": 0.5}', message)
        self.assertIn("opt_state.0.trace.dense.kernel is missing in the file", message)
        self.assertIn("opt_state.0.mu.dense.kernel is unknown to this optimizer", message)
        self.assertIn("params.dense.scale is missing in the file", message)
        self.assertIn("params.dense.kernel has shape (2, 3) in the file; expected (3, 2)", message)

    def test_types_are_converted_only_on_request(self):
        tree, state = trained(optax.adam(0.5), params())
        save(self.path, tree, state, OPTIMIZER)
        optimizer = optax.adam(0.5, mu_dtype=jnp.bfloat16)
        with self.assertRaisesRegex(ValueError, "mu.dense.bias is float32 in the file; expected bfloat16"):
            load(self.path, params(), optimizer)
        _, loaded = load(self.path, params(), optimizer, cast=True)
        np.testing.assert_array_equal(loaded[0].mu["dense"]["bias"], state[0].mu["dense"]["bias"].astype(jnp.bfloat16))

    def test_bfloat16_is_saved_as_it_is(self):
        optimizer = optax.adam(0.5, mu_dtype=jnp.bfloat16)
        tree, state = trained(optimizer, params())
        save(self.path, tree, state, OPTIMIZER)
        self.assertSame(state, load(self.path, params(), optimizer)[1])

    def test_what_has_no_name_of_its_own_is_refused(self):
        with self.assertRaisesRegex(ValueError, "one array"):
            save(self.path, jnp.ones(3), optax.sgd(0.5).init(jnp.ones(3)))
        with self.assertRaisesRegex(ValueError, "Two arrays have the path params.a.b"):
            save(self.path, {"a.b": jnp.ones(1), "a": {"b": jnp.ones(1)}}, ())
        with self.assertRaisesRegex(ValueError, "random key"):
            save(self.path, {"key": jax.random.key(1)}, ())
        with self.assertRaisesRegex(ValueError, "expected"):
            save(self.path, params(), (), {"learning_rate": 0.5})


if __name__ == "__main__":
    unittest.main()
