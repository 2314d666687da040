"""Tests of build.py."""

import pathlib
import tempfile
import unittest

from localcluster import binaries, build


class _Counting(build.Product):
    """Counts how often it is made, and can be told to fail."""

    def __init__(self, folder, source):
        super().__init__("thing", folder, ("program",), [source])
        self.made, self.fail = 0, False

    def make(self, folder):
        self.made += 1
        (folder / "program").write_text(str(self.made), encoding="ascii")
        if self.fail:
            raise OSError("disk full")


class ProductTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name) / "things" / "1.0"

    def test_is_made_once(self):
        thing = _Counting(self.folder, "a")
        self.assertFalse(thing.is_current())
        thing.ensure()
        thing.ensure()
        self.assertEqual(1, thing.made)
        self.assertTrue(_Counting(self.folder, "a").is_current())

    def test_changed_source_makes_it_anew(self):
        _Counting(self.folder, "a").ensure()
        changed = _Counting(self.folder, "b")
        self.assertFalse(changed.is_current())
        changed.ensure()
        self.assertEqual(1, changed.made)
        self.assertEqual(
            ["1.0"], [entry.name for entry in self.folder.parent.iterdir() if entry.is_dir()]
        )

    def test_lost_program_makes_it_anew(self):
        thing = _Counting(self.folder, "a")
        thing.ensure()
        (self.folder / "program").unlink()
        thing.ensure()
        self.assertEqual(2, thing.made)

    def test_failure_leaves_the_old_one(self):
        _Counting(self.folder, "a").ensure()
        broken = _Counting(self.folder, "b")
        broken.fail = True
        with self.assertRaises(OSError):
            broken.ensure()
        self.assertTrue(_Counting(self.folder, "a").is_current())
        broken.fail = False
        broken.ensure()
        self.assertTrue(broken.is_current())

    def test_assets_replace_what_they_have(self):
        with tempfile.TemporaryDirectory() as named:
            folder = pathlib.Path(named)
            for program in ("etcd", "kube-apiserver", "kubectl"):
                (folder / program).touch()
            titles = [product.title.split()[0] for product in build.products("1.37", folder)]
            self.assertEqual(["pause", "Kubernetes"], titles)
            for program in ("kube-controller-manager", "kube-scheduler", "kubelet"):
                (folder / program).touch()
            self.assertEqual(
                ["pause"], [product.title for product in build.products("1.37", folder)]
            )

    def test_versions_are_in_the_flags(self):
        flags = " ".join(build.kubernetes("1.37")._flags)  # pylint: disable=protected-access
        self.assertIn("-X k8s.io/component-base/version.gitVersion=v1.37.", flags)
        self.assertIn("-X k8s.io/client-go/pkg/version.gitMinor=37", flags)

    def test_kube_proxy_is_of_the_newest_release(self):
        newest = binaries.kubernetes_version(binaries.kubernetes_releases()[0])
        self.assertEqual(f"kube-proxy {newest}", build.kube_proxy().title)


if __name__ == "__main__":
    unittest.main()
