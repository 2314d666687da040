"""Tests of the decisions in network.py and firewall.py."""

import unittest
from unittest import mock

from localcluster import firewall, layout, network


class TakenIndexesTest(unittest.TestCase):

    def taken(self, links, routes):
        answers = [[{"ifname": name} for name in links], [{"dst": route} for route in routes]]
        with mock.patch.object(network, "_ip", side_effect=answers):
            return network.taken_indexes(
                layout.CLUSTER_LIMIT, lambda index: layout.Layout("x", index)
            )

    def test_a_link_of_the_name(self):
        self.assertEqual({4}, self.taken(["lo", "calop4"], []))

    def test_somebody_elses_route(self):
        self.assertEqual({0}, self.taken([], ["198.18.5.0/24"]))
        self.assertEqual({0, 1}, self.taken([], ["198.18.0.0/19"]))

    def test_routes_that_do_not_matter(self):
        self.assertEqual(
            set(), self.taken([], ["default", "10.0.0.0/8", "fe80::/64", "0.0.0.0/0", "192.0.2.1"])
        )


class FirewallTest(unittest.TestCase):

    def test_is_open(self):
        self.assertTrue(firewall.is_open("-P INPUT ACCEPT\n", "INPUT"))
        self.assertFalse(firewall.is_open("-P INPUT DROP\n", "INPUT"))
        self.assertFalse(firewall.is_open("-P INPUT ACCEPT\n-A INPUT -j REJECT\n", "INPUT"))


if __name__ == "__main__":
    unittest.main()
