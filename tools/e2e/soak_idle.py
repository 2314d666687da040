"""Five minutes in which nobody changes anything: operator and signer write nothing, and restart nothing."""

import time
import unittest

from e2e import environment

IDLE_SECONDS = 300
SETTLE_SECONDS = 20
PODS = "/api/v1/namespaces/calico-system/pods"


def setUpModule():
    global cluster
    cluster = environment.Cluster("idle", nodes=2)
    cluster.install()


def tearDownModule():
    cluster.down()


class IdleTest(unittest.TestCase):
    def test_five_idle_minutes(self):
        time.sleep(SETTLE_SECONDS)
        pods = sorted(pod["metadata"]["uid"] for pod in cluster.kube.items(PODS))
        self.assertGreater(len(pods), 2)
        since = environment.now_rfc3339()
        time.sleep(IDLE_SECONDS)
        self.assertEqual(cluster.audit_writes(since, (environment.OPERATOR_USER, environment.SIGNER_USER)), [])
        self.assertEqual(sorted(pod["metadata"]["uid"] for pod in cluster.kube.items(PODS)), pods)


if __name__ == "__main__":
    unittest.main()
