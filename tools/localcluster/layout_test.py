"""Tests of layout.py."""

import ipaddress
import unittest

from localcluster import layout
from localcluster.errors import ClusterError


class LayoutTest(unittest.TestCase):

    def test_first_cluster_has_the_first_block(self):
        first = layout.Layout("dev", 0)
        self.assertEqual("198.18.0.1", first.address)
        self.assertEqual("198.18.1.1", first.service_address)
        self.assertEqual("https://198.18.0.1:6443", first.api_url)
        self.assertEqual("198.18.0.11", first.node(1).address)
        self.assertEqual("198.18.8.0/24", first.pod_range(1))

    def test_no_two_clusters_share_anything(self):
        seen = {}
        for index in range(layout.CLUSTER_LIMIT):
            one = layout.Layout(f"c{index}", index)
            self.assertTrue(one.block.subnet_of(layout.RANGE))
            for other in seen.values():
                self.assertFalse(one.block.overlaps(other.block))
            for thing in (
                one.bridge,
                one.bridge_mac,
                one.folder,
                *[node.link for node in one.nodes(8)],
                *[node.cgroup for node in one.nodes(8)],
            ):
                self.assertNotIn(thing, seen)
                seen[thing] = one

    def test_networks_of_one_cluster_are_apart_and_inside_its_block(self):
        one = layout.Layout("dev", 31)
        parts = [one.node_network, one.service_network, one.pod_network]
        for number, part in enumerate(parts):
            self.assertTrue(part.subnet_of(one.block))
            self.assertFalse(any(part.overlaps(other) for other in parts[number + 1 :]))

    def test_every_node_has_an_address_and_pods_of_its_own(self):
        one = layout.Layout("dev", 3)
        nodes = one.nodes(layout.NODE_LIMIT)
        self.assertEqual(layout.NODE_LIMIT, len({node.address for node in nodes}))
        for node in nodes:
            self.assertIn(ipaddress.ip_address(node.address), one.node_network)
            self.assertTrue(
                ipaddress.ip_network(one.pod_range(node.number)).subnet_of(one.pod_network)
            )

    def test_link_names_fit_the_kernel(self):
        last = layout.Layout("dev", layout.CLUSTER_LIMIT - 1)
        self.assertLessEqual(len(last.bridge), 15)
        self.assertLessEqual(len(last.node(layout.NODE_LIMIT).link), 15)

    def test_names(self):
        for name in ("a", "dev", "k8s-1-30", "a" * 20):
            layout.check_name(name)
        for name in ("", "A", "1a", "a-", "-a", "a.b", "a/b", "..", "a" * 21, "a\n"):
            with self.subTest(name), self.assertRaises(ClusterError):
                layout.check_name(name)


if __name__ == "__main__":
    unittest.main()
