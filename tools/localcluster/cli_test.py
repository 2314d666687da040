"""Tests of what cli.py makes of its arguments."""

import argparse
import os
import tempfile
import unittest
from unittest import mock

from localcluster import binaries, cli, layout, state
from localcluster.errors import ClusterError


class WantedSettingsTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        patch = mock.patch.dict(os.environ, {"CALICO_OPERATOR_STATE": temporary.name})
        patch.start()
        self.addCleanup(patch.stop)
        os.environ.pop("KUBEBUILDER_ASSETS", None)

    def wanted(self, nodes=None, kubernetes=None, control_plane_only=False):
        return cli._wanted_settings(
            argparse.Namespace(  # pylint: disable=protected-access
                name="a", nodes=nodes, kubernetes=kubernetes, control_plane_only=control_plane_only
            )
        )

    def keep(self, settings):
        settings.index = 5
        settings.layout.folder.mkdir(parents=True, exist_ok=True)
        state.write(settings)

    def test_defaults(self):
        wanted = self.wanted()
        self.assertEqual(
            (binaries.kubernetes_releases()[0], 2, -1), (wanted.release, wanted.nodes, wanted.index)
        )

    def test_again_without_options_keeps_everything(self):
        self.keep(self.wanted(nodes=3, kubernetes="1.30"))
        again = self.wanted()
        self.assertEqual(("1.30", 3, 5), (again.release, again.nodes, again.index))

    def test_control_plane_stays_alone_until_nodes_are_asked_for(self):
        self.keep(self.wanted(control_plane_only=True))
        self.assertEqual(0, self.wanted().nodes)
        self.assertEqual(2, self.wanted(nodes=2).nodes)

    def test_release_cannot_change(self):
        self.keep(self.wanted(kubernetes="1.30"))
        with self.assertRaises(ClusterError) as caught:
            self.wanted(kubernetes="1.37")
        self.assertIn("down --name a", caught.exception.next_step)

    def test_number_of_nodes_is_limited(self):
        for nodes in (-1, 9):
            with self.subTest(nodes), self.assertRaises(ClusterError):
                self.wanted(nodes=nodes)

    def test_component_names(self):
        for given, want in (
            ("apiserver", "kube-apiserver"),
            ("kube-apiserver", "kube-apiserver"),
            ("etcd", "etcd"),
        ):
            with self.subTest(given):
                self.assertEqual(want, cli._component(given))  # pylint: disable=protected-access


class ChosenNameTest(unittest.TestCase):
    """Commands without --name."""

    def chosen(self, *words, names=()):
        options = cli._parser().parse_args(words)  # pylint: disable=protected-access
        with mock.patch.object(state, "names", lambda: list(names)):
            return cli._chosen_name(options)  # pylint: disable=protected-access

    def test_the_only_cluster_there_is(self):
        for command in ("kubeconfig", "status", "down"):
            with self.subTest(command):
                self.assertEqual("quickstart", self.chosen(command, names=["quickstart"]))

    def test_the_named_one_and_the_default_come_first(self):
        self.assertEqual("b", self.chosen("down", "--name", "b", names=["a"]))
        default = layout.DEFAULT_NAME
        self.assertEqual(default, self.chosen("status", names=["a", default]))
        self.assertEqual(default, self.chosen("status", names=[]))
        self.assertEqual(default, self.chosen("up", names=["a"]))

    def test_nothing_is_guessed_among_several(self):
        with self.assertRaises(ClusterError) as caught:
            self.chosen("down", names=["a", "b"])
        self.assertIn("a, b", str(caught.exception))
        self.assertIn("--name a", caught.exception.next_step)
        self.assertEqual("a", self.chosen("down", "--all", names=["a", "b"]))


if __name__ == "__main__":
    unittest.main()
