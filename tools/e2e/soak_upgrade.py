"""Upgrades 3.27 -> 3.32 -> 3.33 again and again, interrupted at random points: the operator is killed, API server and etcd
are restarted, and each ends complete, gently, and with what an undisturbed one makes."""

import os
import random
import time
import unittest

from e2e import environment, upgrading

ROUNDS = int(os.environ.get("CALICO_SOAK_ROUNDS", "5"))
SEED = int(os.environ.get("CALICO_SOAK_SEED", "20261128"))
INTERRUPTIONS = 4  # of each upgrade


def setUpModule():
    global cluster
    cluster = upgrading.LiveCluster("upgrade-soak")


def tearDownModule():
    cluster.down()


class UpgradeSoak(unittest.TestCase):
    def upgrade(self, old, new, chance):
        flags = ("--allow-downgrade",) if new < old else ()
        with upgrading.RollWatch(cluster) as watch:
            cluster.run_operator(new, *flags)
            for _ in range(chance.randint(1, INTERRUPTIONS)):
                time.sleep(chance.uniform(0.05, 8))
                if chance.random() < 0.5:
                    cluster.run_operator(new, *flags)
                else:
                    cluster.restart(chance.choice(("etcd", "kube-apiserver")))
            cluster.wait_complete(new, timeout=400)
        self.assertLessEqual(max(watch.most_unavailable.values()), 1)
        self.assertEqual(watch.early, [])
        self.assertEqual(cluster.refused_clients(), [])

    def test_interrupted_upgrades_end_as_undisturbed_ones(self):
        chance = random.Random(SEED)
        cluster.apply_installation()
        made, before = {}, None
        for number in range(ROUNDS):
            for release in upgrading.VERSIONS:
                with self.subTest(round=number, release=release, seed=SEED):
                    if before is None:
                        cluster.run_operator(release)
                        cluster.wait_complete(release)
                    else:
                        self.upgrade(before, release, chance)
                    before = release
                    whole = environment.rendered(cluster)
                    self.assertEqual(environment.difference(made.setdefault(release, whole), whole), "")


if __name__ == "__main__":
    unittest.main()
