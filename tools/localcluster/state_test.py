"""Tests of state.py."""

import os
import tempfile
import threading
import time
import unittest
from unittest import mock

from localcluster import network, state
from localcluster.errors import ClusterError


class StateTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        patch = mock.patch.dict(os.environ, {"CALICO_OPERATOR_STATE": temporary.name})
        patch.start()
        self.addCleanup(patch.stop)

    def add(self, name, index):
        settings = state.Settings(name, index, "1.37", 2, None)
        settings.layout.folder.mkdir(parents=True)
        state.write(settings)
        return settings

    def test_round_trip(self):
        self.assertIsNone(state.read("a"))
        settings = self.add("a", 3)
        self.assertEqual(settings, state.read("a"))
        self.assertEqual(["a"], state.names())

    def test_damaged_file_is_an_error_with_a_next_step(self):
        settings = self.add("a", 0)
        (settings.layout.folder / "cluster.json").write_text("{", encoding="ascii")
        with self.assertRaises(ClusterError) as caught:
            state.read("a")
        self.assertIn("down --name a", caught.exception.next_step)

    def test_index_is_the_lowest_that_nobody_uses(self):
        self.add("a", 0)
        self.add("b", 2)
        with mock.patch.object(network, "taken_indexes", return_value={1}):
            self.assertEqual(3, state.allocate_index("c"))

    def test_all_indexes_taken(self):
        with mock.patch.object(network, "taken_indexes", return_value=set(range(32))):
            with self.assertRaises(ClusterError):
                state.allocate_index("c")

    def test_has_nodes(self):
        self.assertFalse(state.has_nodes())
        alone = self.add("alone", 0)
        alone.nodes = 0
        state.write(alone)
        self.assertFalse(state.has_nodes())
        self.add("dev", 1)
        self.assertTrue(state.has_nodes())

    def test_lock_leaves_no_empty_folder(self):
        with state.locked("a"):
            self.assertEqual(["a"], state.names())
        self.assertEqual([], state.names())

    def test_lock_survives_removal_by_the_one_before(self):
        order = []

        def second():
            with state.locked("a"):
                order.append("second")
                self.assertTrue((state.clusters_folder() / "a").is_dir())

        with state.locked("a"):
            thread = threading.Thread(target=second)
            thread.start()
            time.sleep(0.1)
            order.append("first")
        thread.join()
        self.assertEqual(["first", "second"], order)


if __name__ == "__main__":
    unittest.main()
