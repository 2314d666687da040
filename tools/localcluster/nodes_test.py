"""Tests of the configuration that nodes.py writes."""

import tomllib
import unittest

from localcluster import images, layout, nodes


class NodesTest(unittest.TestCase):

    def setUp(self):
        self.node = layout.Layout("dev", 2).node(1)

    def test_kubelet_config(self):
        config = nodes.kubelet_config(self.node, 37, cgroup_version_1=True)
        self.assertEqual("/calico-operator.dev.node1", config["cgroupRoot"])
        self.assertEqual("198.18.32.11", config["address"])
        self.assertFalse(config["authentication"]["anonymous"]["enabled"])
        self.assertEqual("Webhook", config["authorization"]["mode"])
        self.assertIs(config["failCgroupV1"], False)

    def test_field_that_old_kubelets_do_not_know(self):
        self.assertNotIn("failCgroupV1", nodes.kubelet_config(self.node, 30, cgroup_version_1=True))
        self.assertNotIn(
            "failCgroupV1", nodes.kubelet_config(self.node, 37, cgroup_version_1=False)
        )

    def test_containerd_config(self):
        for restrict in (True, False):
            cri = tomllib.loads(nodes.containerd_config(restrict))["plugins"][
                "io.containerd.grpc.v1.cri"
            ]
            self.assertIs(restrict, cri["restrict_oom_score_adj"])
            self.assertEqual(images.PAUSE_NAME, cri["sandbox_image"])
            self.assertEqual("overlayfs", cri["containerd"]["snapshotter"])
            self.assertIs(False, cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"])


if __name__ == "__main__":
    unittest.main()
