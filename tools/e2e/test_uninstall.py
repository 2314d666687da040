"""Leaving a real cluster: in order, with the operator gone, with what hangs, and twice."""

import json
import subprocess
import time
import unittest

from deployment import install, kube as kubes
from e2e import environment

DAEMONSET = "/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node"
NAMESPACE = "/api/v1/namespaces/calico-system"
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/calico-cni-plugin"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
POOLS = "/apis/crd.projectcalico.org/v1/ippools"


def setUpModule():
    global cluster
    cluster = environment.Cluster("uninstall", nodes=1)
    cluster.install()
    cluster.kube.request("POST", POOLS, {
        "apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": "mine"},
        "spec": {"cidr": "10.99.0.0/16"}})


def tearDownModule():
    cluster.down()


def run(*words):
    done = subprocess.run([str(environment.BIN / "calico-operator"), "uninstall", f"--kubeconfig={cluster.kube.kubeconfig}", *words],
                          capture_output=True, text=True, check=False, timeout=170)
    return done.returncode, done.stdout, done.stderr


def definitions(group):
    return [crd["metadata"]["name"] for crd in cluster.kube.items(DEFINITIONS) if crd["spec"]["group"] == group]


class UninstallTest(unittest.TestCase):
    def test_1_nothing_goes_without_being_told(self):
        before = environment.rendered(cluster)
        code, out, _ = run("--dry-run")
        self.assertEqual(code, 0)
        for line in ("  DaemonSet calico-system/calico-node", "  Installation default", "  Deployment tigera-operator/tigera-operator"):
            self.assertIn(line, out.splitlines())
        self.assertLess(out.index("calico-kube-controllers"), out.index("DaemonSet calico-system/calico-node"))
        self.assertLess(out.index("DaemonSet calico-system/calico-node"), out.index("ClusterRole calico-cni-plugin"))
        code, _, error = run()
        self.assertEqual(code, 2)
        self.assertIn("give --yes", error)
        self.assertEqual(environment.rendered(cluster), before)

    def test_2_everything_goes_in_order_and_what_users_made_stays(self):
        since = environment.now_rfc3339()
        code, out, error = run("--yes", "--timeout=100s")
        self.assertEqual(code, 0, f"{out}{error}")
        print("".join(f"    {line}\n" for line in out.splitlines() if not line.startswith("  deleted")), flush=True)
        self.assertIsNone(cluster.kube.get(NAMESPACE))
        self.assertIsNone(cluster.kube.get(ROLE))
        self.assertEqual(definitions("operator.tigera.io"), [])
        self.assertEqual(cluster.kube.get(f"{POOLS}/mine")["spec"]["cidr"], "10.99.0.0/16")
        # The operator's namespace holds the address of the API server, which somebody has put there.
        self.assertIn("kubernetes-services-endpoint", out)
        self.assertIsNotNone(cluster.kube.get("/api/v1/namespaces/tigera-operator"))
        deleted = [event["objectRef"]["name"] for event in cluster.audit_events(since)
                   if event["verb"] == "delete" and "calico-operator" in event.get("userAgent", "")]
        self.assertLess(deleted.index("tigera-operator"), deleted.index("calico-kube-controllers"))
        self.assertLess(deleted.index("calico-kube-controllers"), deleted.index("calico-node"))
        self.assertLess(deleted.index("calico-node"), deleted.index("calico-cni-plugin"))

    def test_3_the_second_time_nothing_is_there(self):
        code, out, error = run("--yes")
        self.assertEqual(code, 0, error)
        self.assertIn("nothing of Calico's operator is here", out)

    def test_4_a_namespace_that_hangs_is_named_and_a_later_run_goes_on(self):
        """What is left when somebody has deleted the operator first: finalizers that nobody takes off."""
        install.namespace(cluster.kube, "calico-system")
        for name, finalizer in (("calico-node", "tigera.io/cni-protector"), ("mine", "example.com/mine")):
            cluster.kube.request("POST", f"{NAMESPACE}/serviceaccounts", {
                "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {
                    "name": name, "namespace": "calico-system", "finalizers": [finalizer],
                    "ownerReferences": [{"apiVersion": "operator.tigera.io/v1", "kind": "Installation", "name": "default",
                                         "uid": "00000000-0000-0000-0000-000000000000"}]}})
        cluster.kube.delete(NAMESPACE)
        code, _, error = run("--yes", "--timeout=5s")
        self.assertEqual(code, 1)
        self.assertIn("ServiceAccount calico-system/calico-node has the finalizer tigera.io/cni-protector", error)
        self.assertIn("--remove-finalizers", error)
        code, _, error = run("--yes", "--timeout=8s", "--remove-finalizers")
        self.assertEqual(code, 1)
        self.assertIn("Namespace calico-system is being deleted", error)
        self.assertIn("example.com/mine", error)
        cluster.kube.merge(f"{NAMESPACE}/serviceaccounts/mine", {"metadata": {"finalizers": []}})
        code, out, error = run("--yes", "--remove-finalizers")
        self.assertEqual(code, 0, f"{out}{error}")
        self.assertIsNone(cluster.kube.get(NAMESPACE))

    def test_5_a_definition_that_hangs_is_freed(self):
        """One that is deleted before anybody has asked for its objects."""
        text = install.manifest("crds")
        cluster.kube.kubectl("apply", "--server-side", "-f", "-", text=text)
        for name in definitions("operator.tigera.io"):
            cluster.kube.delete(f"{DEFINITIONS}/{name}")
        started = time.monotonic()
        code, out, error = run("--yes", "--timeout=90s")
        self.assertEqual(code, 0, f"{out}{error}")
        self.assertEqual(definitions("operator.tigera.io"), [])
        print(f"    definitions gone after {time.monotonic() - started:.1f} s", flush=True)

    def test_6_what_users_made_goes_when_told(self):
        code, out, error = run("--yes", "--remove-user-data", "--timeout=90s")
        self.assertEqual(code, 0, f"{out}{error}")
        self.assertEqual(definitions("crd.projectcalico.org"), [])
        self.assertIsNone(cluster.kube.get("/api/v1/namespaces/tigera-operator"))


if __name__ == "__main__":
    unittest.main()
