"""Calico's own configuration on a real cluster: definitions, IP pools, settings, the data plane."""

import time
import unittest

from deployment import install, kube as kubes
from e2e import environment

CALICO = "/apis/crd.projectcalico.org/v1"
POOL = f"{CALICO}/ippools/default-ipv4-ippool"
FELIX = f"{CALICO}/felixconfigurations/default"
IPPOOLS = "/apis/operator.tigera.io/v1/tigerastatuses/ippools"
DAEMONSET = "/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node"
OPERATOR = "/apis/apps/v1/namespaces/tigera-operator/deployments/tigera-operator"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
FIRST = {"name": "default-ipv4-ippool", "cidr": "192.168.0.0/16"}
SECOND = {"name": "second", "cidr": "10.77.0.0/16"}


def setUpModule():
    global cluster
    cluster = environment.Cluster("calico-config", nodes=1)
    cluster.install()


def tearDownModule():
    cluster.down()


def spec_of(path):
    return (cluster.kube.get(path) or {}).get("spec", {})


def merge(path, spec):
    return cluster.kube.request("PATCH", path + "?fieldManager=somebody", {"spec": spec}, "application/merge-patch+json")


def network(**fields):
    return merge(install.INSTALLATION, {"calicoNetwork": fields or None})


def says(kind):
    """The message of that condition of TigeraStatus `ippools` while it is True, else nothing."""
    found = {c["type"]: c for c in (cluster.kube.get(IPPOOLS) or {}).get("status", {}).get("conditions") or []}
    return found.get(kind, {}).get("status") == "True" and found[kind]["message"]


def explain():
    return f"ippools {cluster.kube.get(IPPOOLS)}; {install.explain(cluster.kube)}; Felix {spec_of(FELIX)}"


def wait_for(what, check, timeout=30):
    return kubes.wait_for(what, check, timeout, explain=explain)


class CalicoConfigTest(unittest.TestCase):
    def test_1_a_default_installation_has_all_it_needs(self):
        wait_for("ippools Available", lambda: says("Available") == "All objects available")
        self.assertTrue(cluster.kube.get(f"{DEFINITIONS}/ippools.crd.projectcalico.org"))
        pool = cluster.kube.get(POOL)
        self.assertEqual(pool["spec"]["ipipMode"], "Always")
        self.assertTrue(pool["spec"]["natOutgoing"])
        self.assertEqual(pool["metadata"]["labels"]["app.kubernetes.io/managed-by"], "tigera-operator")
        self.assertNotIn("ownerReferences", pool["metadata"], "the pool would go with the Installation")
        felix = spec_of(FELIX)
        self.assertEqual((felix["healthPort"], felix["vxlanVNI"], felix["bpfEnabled"]), (9099, 4096, False))
        self.assertEqual(cluster.kube.get(DAEMONSET)["metadata"]["generation"], 1, "calico-node was rolled")
        wait_for("calico Available", lambda: install.is_available(cluster.kube), 90)
        time.sleep(10)  # the last pods tell their last
        since = environment.now_rfc3339()
        time.sleep(10)
        self.assertEqual(cluster.audit_writes(since, (environment.OPERATOR_USER,)), [])

    def test_2_settings_of_the_user_stay_and_what_is_deleted_comes_back(self):
        merge(FELIX, {"vxlanPort": 6789, "logSeverityScreen": "Debug"})
        time.sleep(2)
        self.assertEqual((spec_of(FELIX)["vxlanPort"], spec_of(FELIX)["logSeverityScreen"]), (6789, "Debug"))
        cluster.kube.delete(FELIX)
        wait_for("FelixConfiguration", lambda: spec_of(FELIX).get("healthPort") == 9099)
        cluster.kube.delete(POOL)
        wait_for("the pool", lambda: spec_of(POOL).get("cidr") == FIRST["cidr"])
        wait_for("ippools Available", lambda: says("Available"))

    def test_3_pools_follow_the_installation_but_none_is_deleted_without_calicos_api_server(self):
        network(ipPools=[{**FIRST, "disableNewAllocations": True}, SECOND])
        wait_for("the first disabled", lambda: spec_of(POOL).get("disabled"))
        wait_for("the second", lambda: spec_of(f"{CALICO}/ippools/second").get("cidr") == SECOND["cidr"])
        network(ipPools=[SECOND])
        message = wait_for("to be told", lambda: says("Degraded"))
        self.assertIn("Unable to delete IP pools while Calico API server is unavailable", message)
        self.assertIn("default-ipv4-ippool", message)
        self.assertTrue(spec_of(POOL))
        network(ipPools=[FIRST, SECOND])
        wait_for("ippools Available", lambda: says("Available"))
        self.assertFalse(spec_of(POOL).get("disabled"))
        # Those of others are left alone.
        cluster.kube.apply(f"{CALICO}/ippools/mine", {
            "apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": "mine"}, "spec": {"cidr": "10.99.0.0/16"}})
        network(ipPools=[FIRST, SECOND, {"name": "mine", "cidr": "10.99.0.0/16", "natOutgoing": "Disabled", "encapsulation": "VXLAN"}])
        message = wait_for("to be told", lambda: says("Degraded"))
        self.assertIn("not owned by the operator", message)
        self.assertNotIn("vxlanMode", spec_of(f"{CALICO}/ippools/mine"))
        network(ipPools=[FIRST, SECOND])
        wait_for("ippools Available", lambda: says("Available"))

    def test_4_ebpf_comes_when_every_node_is_ready_and_goes_again(self):
        network(ipPools=[FIRST, SECOND], linuxDataplane="BPF")
        wait_for("bpfEnabled", lambda: spec_of(FELIX).get("bpfEnabled"), 90)
        self.assertEqual(spec_of(FELIX)["nftablesMode"], "Enabled")
        status, generation = (cluster.kube.get(DAEMONSET)[key] for key in ("status", "metadata"))
        self.assertEqual(status["observedGeneration"], generation["generation"])
        self.assertEqual(status["updatedNumberScheduled"], status["numberAvailable"])
        network(ipPools=[FIRST, SECOND], linuxDataplane="Iptables")
        wait_for("bpfEnabled off", lambda: spec_of(FELIX).get("bpfEnabled") is False)
        self.assertEqual(spec_of(FELIX)["nftablesMode"], "Disabled")
        install.wait_available(cluster.kube, 90)

    def test_5_without_definitions_that_anybody_makes_the_status_says_so(self):
        merge(OPERATOR, {"replicas": 0})
        pods = "/api/v1/namespaces/tigera-operator/pods"
        wait_for("the operator to end", lambda: not cluster.kube.items(pods), 40)
        before = cluster.kube.get(DAEMONSET)["metadata"]["generation"]
        kinds = {"ippools", "felixconfigurations", "bgpconfigurations", "kubecontrollersconfigurations"}
        for kind in kinds:
            cluster.kube.delete(f"{DEFINITIONS}/{kind}.crd.projectcalico.org")
        # Their objects are deleted first, and the API server takes a moment to forget them: an operator that starts
        # before that sees them go, which it tells in other words.
        served = lambda: {kind["name"] for kind in (cluster.kube.get(CALICO) or {}).get("resources", ())}
        wait_for("the API server to forget them", lambda: not kinds & served(), 40)
        operator = cluster.start_operator("--leader-elect=false", label="without-definitions")

        def told():
            degraded = install.conditions(cluster.kube).get("Degraded", {})
            return degraded.get("status") == "True" and degraded["message"]

        message = kubes.wait_for("the status to say so", told, 40, explain=operator.text)
        self.assertIn("does not serve felixconfigurations.crd.projectcalico.org", message)
        self.assertIn("--manage-crds", message)
        self.assertEqual(cluster.kube.get(DAEMONSET)["metadata"]["generation"], before)
        operator.kill()
