"""Operator upgrades on a live cluster, Calico 3.27 -> 3.32 -> 3.33: definitions first, one pod at a time, through kills and
restarts, and never backwards unless told."""

import time
import unittest

from deployment import install, kube as kubes
from e2e import environment, upgrading

RIGHT_THAT_IS_NEW = "kubevirt.io"  # of calico-kube-controllers since 3.32


def setUpModule():
    global cluster
    cluster = upgrading.LiveCluster("upgrade")


def tearDownModule():
    cluster.down()


class UpgradeTest(unittest.TestCase):
    """Each test goes on where the one before has ended."""

    def assert_rolled_gently(self, watch, old, new):
        self.assertGreater(watch.samples, 5)
        self.assertEqual(watch.most_unavailable, {"calico-node": 1, "csi-node-driver": 1}, "more pods than maxUnavailable at a time")
        self.assertEqual(watch.least_ready_typhas, 1, "fewer than the PodDisruptionBudget keeps")
        self.assertEqual(watch.versions, [upgrading.VERSIONS[old], upgrading.VERSIONS[new]])
        self.assertEqual(watch.early, [], "told before its pods ran")
        change = f"Calico from {upgrading.VERSIONS[old]} to {upgrading.VERSIONS[new]}"
        self.assertTrue(any(change in message for message in watch.messages), watch.messages)
        self.assertEqual(cluster.refused_clients(), [])
        for path in upgrading.WORKLOADS:
            template = cluster.kube.get(path)["spec"]["template"]["spec"]
            for container in template["containers"]:
                self.assertTrue(container["image"].endswith(":" + upgrading.VERSIONS[new]), container["image"])

    def assert_configuration_kept(self):
        pool = cluster.kube.get(upgrading.POOL)
        self.assertEqual((pool["metadata"]["uid"], pool["spec"]["cidr"], pool["spec"]["blockSize"], pool["spec"]["natOutgoing"]),
                         (self.pool_uid, "10.244.0.0/16", 27, True))
        self.assertEqual(cluster.kube.get(upgrading.FELIX)["spec"]["logSeverityScreen"], "Warning")

    def test_1_calico_327_is_installed_with_a_pool_and_settings_of_the_users(self):
        operator = cluster.run_operator("v3.27")
        kubes.wait_for("Calico's own kinds", lambda: cluster.kube.get(upgrading.POOL.rsplit("/", 1)[0]) is not None, 60,
                       explain=operator.text)
        cluster.kube.apply(upgrading.POOL, {
            "apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": "default-ipv4-ippool"},
            "spec": {"cidr": "10.244.0.0/16", "blockSize": 27, "ipipMode": "Always", "vxlanMode": "Never", "natOutgoing": True,
                     "nodeSelector": "all()", "allowedUses": ["Workload", "Tunnel"]}}, manager="calico-node")
        cluster.kube.apply(upgrading.FELIX, {
            "apiVersion": "crd.projectcalico.org/v1", "kind": "FelixConfiguration", "metadata": {"name": "default"},
            "spec": {"logSeverityScreen": "Warning"}}, manager="kubectl")
        type(self).pool_uid = cluster.kube.get(upgrading.POOL)["metadata"]["uid"]
        cluster.apply_installation()
        cluster.wait_complete("v3.27")
        image = cluster.kube.get(upgrading.NODE)["spec"]["template"]["spec"]["containers"][0]["image"]
        self.assertEqual(image, "docker.io/calico/node:v3.27.5")
        type(self).made_by_327 = environment.rendered(cluster)

    def test_2_a_right_that_the_new_operator_lacks_is_named_and_what_runs_stays(self):
        role = cluster.kube.get(upgrading.ROLE)
        role["rules"] = [rule for rule in role["rules"] if RIGHT_THAT_IS_NEW not in rule.get("apiGroups", [])]
        role["metadata"].pop("managedFields")
        cluster.kube.request("PUT", upgrading.ROLE, role)
        before = cluster.generations()
        operator = cluster.run_operator("v3.32")
        message = kubes.wait_for("the status to name the right", lambda: cluster.message("Degraded"), 60, explain=operator.text)
        self.assertIn(RIGHT_THAT_IS_NEW, message)
        self.assertIn("operator.yaml of this version", message)
        self.assertEqual(cluster.generations(), before)
        self.assertEqual(cluster.status_version(), "v3.27.5")

    def test_3_with_the_right_the_upgrade_goes_on_by_itself(self):
        with upgrading.RollWatch(cluster) as watch:
            cluster.apply_operator_rights()
            cluster.wait_complete("v3.32")
        self.assert_rolled_gently(watch, "v3.27", "v3.32")
        self.assert_configuration_kept()

    def test_4_an_upgrade_survives_kill_9_and_restarts_of_api_server_and_etcd(self):
        since = environment.now_rfc3339()
        generation = lambda: cluster.kube.get(upgrading.NODE)["metadata"]["generation"]
        before = generation()
        with upgrading.RollWatch(cluster) as watch:
            cluster.run_operator("v3.33")
            kubes.wait_for("the DaemonSet to change", lambda: generation() > before, 60, explain=cluster.operator.text)
            cluster.operator.kill()
            cluster.restart("etcd")
            time.sleep(2)
            cluster.run_operator("v3.33")
            time.sleep(1)
            cluster.restart("kube-apiserver")
            cluster.wait_complete("v3.33")
        self.assert_rolled_gently(watch, "v3.32", "v3.33")
        self.assert_configuration_kept()
        self.assertEqual(generation(), before + 1)
        written = [(event["objectRef"]["resource"], event["objectRef"].get("name")) for event in cluster.audit_events(since)
                   if event["user"]["username"] == environment.OPERATOR_USER and event["verb"] in ("create", "patch")
                   and event.get("objectRef", {}).get("resource") in ("customresourcedefinitions", "daemonsets")]
        first = written.index(("daemonsets", "calico-node"))
        self.assertIn("customresourcedefinitions", {resource for resource, _ in written[:first]})
        self.assertNotIn("customresourcedefinitions", {resource for resource, _ in written[first:]}, "definitions come first")

    def test_5_another_build_of_the_operator_restarts_nothing(self):
        program = environment.newer_operator()
        generations, pods = cluster.generations(), cluster.pod_uids()
        since = environment.now_rfc3339()
        operator = cluster.run_operator("v3.33", program=program)
        kubes.wait_for("the status of that build", lambda: environment.NEWER_VERSION in cluster.message("Available"), 30, explain=operator.text)
        time.sleep(3)
        self.assertEqual(cluster.generations(), generations)
        self.assertEqual(cluster.pod_uids(), pods)
        writes = cluster.audit_writes(since, (environment.OPERATOR_USER,))
        self.assertEqual([write for write in writes if "tigerastatuses" not in write and "installations" not in write], [])

    def test_6_going_back_is_refused_and_changes_nothing(self):
        generations, pods = cluster.generations(), cluster.pod_uids()
        for status in ({"calicoVersion": "v3.33.1"}, {"calicoVersion": None}):
            # Without the status, as after a restore from a backup, the live images tell. An operator that runs puts it right.
            cluster.operator.kill()
            cluster.kube.merge(install.INSTALLATION + "/status", {"status": status})
            operator = cluster.run_operator("v3.32")
            message = kubes.wait_for("the refusal", lambda: cluster.message("Degraded"), 30, explain=operator.text)
            self.assertIn("Calico v3.33.1 is installed and this operator installs the older v3.32.1", message)
            self.assertIn("--allow-downgrade", message)
            cluster.run_operator("v3.33")
            cluster.wait_complete("v3.33")
        self.assertEqual(cluster.generations(), generations)
        self.assertEqual(cluster.pod_uids(), pods)

    def test_7_going_back_happens_when_it_is_asked_for(self):
        cluster.run_operator("v3.27", "--allow-downgrade")
        cluster.wait_complete("v3.27")
        self.assertEqual(environment.difference(self.made_by_327, environment.rendered(cluster)), "")
        self.assert_configuration_kept()


if __name__ == "__main__":
    unittest.main()
