"""Tests of binaries.py."""

import os
import pathlib
import tempfile
import unittest
from unittest import mock

from localcluster import binaries
from localcluster.errors import ClusterError


class BinariesTest(unittest.TestCase):

    def test_required_version_in_both_spellings(self):
        self.assertEqual(
            "1.37.2",
            binaries.required_version("require k8s.io/kubernetes v1.37.2\n", "k8s.io/kubernetes"),
        )
        block = (
            "require (\n\tgo.etcd.io/etcd/etcdctl/v3 v3.6.15\n"
            "\tgo.etcd.io/etcd/server/v3 v3.6.16\n)\n"
        )
        self.assertEqual("3.6.16", binaries.required_version(block, "go.etcd.io/etcd/server/v3"))

    def test_required_version_is_not_taken_from_a_replacement(self):
        text = "replace (\n\tk8s.io/api => k8s.io/api v0.37.2\n)\n"
        with self.assertRaises(ClusterError):
            binaries.required_version(text, "k8s.io/api")

    def test_the_tree_pins_every_release_that_it_names(self):
        self.assertEqual(["1.37", "1.35", "1.30"], binaries.kubernetes_releases())
        for release in binaries.kubernetes_releases():
            self.assertTrue(binaries.kubernetes_version(release).startswith(release + "."))
        self.assertRegex(binaries.etcd_version(), r"^3\.\d+\.\d+$")

    def test_unknown_release(self):
        with self.assertRaisesRegex(ClusterError, "1.37, 1.35, 1.30"):
            binaries.kubernetes_version("1.36")

    def test_assets_folder_must_be_complete(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(
            os.environ, {"KUBEBUILDER_ASSETS": folder}
        ):
            pathlib.Path(folder, "etcd").touch()
            with self.assertRaisesRegex(ClusterError, "kube-apiserver, kubectl missing"):
                binaries.assets_folder()
            for program in ("kube-apiserver", "kubectl"):
                pathlib.Path(folder, program).touch()
            self.assertEqual(pathlib.Path(folder).resolve(), binaries.assets_folder())

    def test_default_release_is_not_newer_than_the_assets(self):
        self.assertEqual("1.37", binaries.default_release(None))
        for version, want in (
            ("1.38.0", "1.37"),
            ("1.37.0", "1.37"),
            ("1.36.4", "1.35"),
            ("1.30.1", "1.30"),
        ):
            with self.subTest(version), mock.patch.object(
                binaries, "version_of", return_value=version
            ):
                self.assertEqual(want, binaries.default_release("/assets"))
        with mock.patch.object(binaries, "version_of", return_value="1.29.0"), self.assertRaises(
            ClusterError
        ):
            binaries.default_release("/assets")

    def test_assets_come_before_the_built_programs(self):
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            for folder, program in ((first, "etcd"), (second, "etcd"), (second, "kubelet")):
                pathlib.Path(folder, program).touch()
            both = binaries.Binaries(
                "1.37.2", "1.37.2", (pathlib.Path(first), pathlib.Path(second)), None, None
            )
            self.assertEqual(pathlib.Path(first, "etcd"), both.program("etcd"))
            self.assertEqual(pathlib.Path(second, "kubelet"), both.program("kubelet"))
            with self.assertRaisesRegex(ClusterError, "kubectl"):
                both.program("kubectl")


if __name__ == "__main__":
    unittest.main()
