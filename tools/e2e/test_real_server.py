"""The C++ tests that need a real kube-apiserver: what the fake one cannot vouch for."""

import os
import subprocess
import unittest

from deployment import build
from e2e import environment

TARGETS = ("//pkg/kube/client:real_server_test", "//pkg/controller:real_server_test")


def setUpModule():
    global cluster
    cluster = environment.Cluster("server", nodes=0)


def tearDownModule():
    cluster.down()


class RealServerTest(unittest.TestCase):
    def test_every_target(self):
        for target, program in build.compile_release(TARGETS).items():
            with self.subTest(target):
                result = subprocess.run([program], env={**os.environ, "KUBECONFIG": cluster.status["kubeconfig"]},
                                        capture_output=True, text=True, check=False, timeout=300)
                self.assertEqual(result.returncode, 0, result.stdout[-4000:])
                self.assertRegex(result.stdout, r"\[  PASSED  \] [1-9]")
                self.assertNotIn("SKIPPED", result.stdout)


if __name__ == "__main__":
    unittest.main()
