"""Tests of golang.py."""

import os
import unittest
from unittest import mock

from localcluster import golang
from localcluster.errors import ClusterError


class GolangTest(unittest.TestCase):

    def test_parse_version(self):
        for text, want in (
            ("go version go1.26.8 linux/amd64", (1, 26, 8)),
            ("1.22", (1, 22, 0)),
            ("go version go1.27rc1 linux/amd64", (1, 27, 0)),
            ("devel", None),
        ):
            with self.subTest(text):
                self.assertEqual(want, golang.parse_version(text))

    def test_required_go(self):
        self.assertEqual(
            ("1.26.0", (1, 26, 0)),
            golang.required_go("module m\n\ngo 1.26.0\n\nrequire a v1.0.0\n"),
        )
        with self.assertRaises(ClusterError):
            golang.required_go("module m\n")

    def test_environment_drops_settings_for_other_builds(self):
        with mock.patch.dict(
            os.environ, {"GOROOT": "/x", "GOFLAGS": "-mod=vendor", "GOPROXY": "https://p"}
        ):
            found = golang.environment(CGO_ENABLED="0")
        self.assertNotIn("GOROOT", found)
        self.assertNotIn("GOFLAGS", found)
        self.assertEqual(
            ("https://p", "local", "0"),
            (found["GOPROXY"], found["GOTOOLCHAIN"], found["CGO_ENABLED"]),
        )


if __name__ == "__main__":
    unittest.main()
