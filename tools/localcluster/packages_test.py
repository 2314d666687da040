"""Tests of packages.py."""

import unittest
from unittest import mock

from localcluster import packages
from localcluster.errors import ClusterError
from localcluster.packages import Package


class PackagesTest(unittest.TestCase):

    def test_parse(self):
        text = "# title\n\nclang-19  # compiler\ncontainerd unless containerd ctr\n"
        self.assertEqual(
            [Package("clang-19"), Package("containerd", ("containerd", "ctr"))],
            packages.parse(text),
        )

    def test_parse_refuses_what_it_does_not_understand(self):
        for line in ("a b", "a unless", "a when b"):
            with self.subTest(line), self.assertRaises(ClusterError):
                packages.parse(line)

    def test_every_name_is_listed_once(self):
        names = [package.name for package in packages.wanted()]
        self.assertEqual(sorted(set(names)), sorted(names))

    def test_packages_that_fight_with_others_are_not_asked_for(self):
        names = {package.name for package in packages.wanted()}
        self.assertFalse(names & {"kubernetes-client", "etcd-server", "etcd-client", "docker.io"})

    def test_missing(self):
        wanted = [
            Package("there"),
            Package("gone"),
            Package("elsewhere", ("sh", "env")),
            Package("half", ("sh", "no-such")),
        ]
        with mock.patch.object(packages, "_installed", return_value={"there"}):
            self.assertEqual(["gone", "half"], packages.missing(wanted))


if __name__ == "__main__":
    unittest.main()
