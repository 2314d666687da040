"""Take-over of what Tigera's operator has made, of each release, on a real API server: what is said before is what happens, and
no pod of an equal spec is touched; then the way back."""

import json
import subprocess
import unittest

from deployment import install, kube as kubes
from e2e import environment, former

# case, Calico's version, whether a key is made by each pod (then our init container takes the place of Calico's)
CASES = (("v1.44/a-default", "release-v3.33", False), ("v1.42.4/a-default", "v3.32.1", False),
         ("v1.32.13/a-default", "v3.27.5", False), ("v1.42.4/b-cm-default", "v3.32.1", True))
# What the recorded operator was told, and has told its pods.
ENDPOINT = ("10.0.0.1", "443")
WORKLOADS = ("daemonsets/calico-node", "daemonsets/csi-node-driver", "deployments/calico-typha", "deployments/calico-kube-controllers")
CA = "/api/v1/namespaces/tigera-operator/secrets/tigera-ca-private"
DEPLOYMENT = "/apis/apps/v1/namespaces/tigera-operator/deployments/tigera-operator"


def setUpModule():
    global cluster, pairs
    cluster = environment.Cluster("adopt", nodes=0)
    cluster.kube.kubectl("apply", "--server-side", "-f", "-", text=install.manifest("crds"))
    definitions = subprocess.run([str(environment.BIN / "calico-operator"), "--print-calico-crds", "--release=v3.33"],
                                 check=True, capture_output=True, text=True).stdout
    cluster.kube.kubectl("apply", "--server-side", "-f", "-", text=definitions)
    install.wait_for_crds(cluster.kube)
    cluster.kube.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
    pairs = former.Pairs(cluster.folder)


def tearDownModule():
    cluster.down()


def run(command, *words):
    """(exit code, stdout, stderr) of a command of calico-operator."""
    done = subprocess.run([str(environment.BIN / "calico-operator"), command, f"--kubeconfig={cluster.kube.kubeconfig}", *words],
                          capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


def adopt(*words):
    return run("adopt", f"--api-server={':'.join(ENDPOINT)}", *words)


def workloads():
    """Template and generation of each workload."""
    found = {}
    for workload in WORKLOADS:
        live = cluster.kube.get(f"/apis/apps/v1/namespaces/calico-system/{workload}")
        if live:
            found[workload] = live
    return found


def versions(objects):
    """What adopt may write; controllers write the status meanwhile."""
    return {path: {**environment.content(live), "owners": live["metadata"].get("ownerReferences"),
                   "managers": sorted((entry["manager"], entry["operation"]) for entry in live["metadata"]["managedFields"]
                                      if entry.get("subresource") != "status")}
            for path, live in objects.items() if live}


class AdoptTest(unittest.TestCase):
    maxDiff = None

    def test_each_release(self):
        for case, version, has_requests in CASES:
            with self.subTest(case):
                try:
                    self.adopt_case(case, version, has_requests)
                finally:
                    code, out, error = run("uninstall", "--yes", "--keep-crds", "--remove-finalizers", "--timeout=60s")
                    self.assertEqual(code, 0, f"uninstall: {out}{error}")

    def adopt_case(self, case, version, has_requests):
        theirs = former.Former(cluster, case, version, pairs)
        self.check_tells_and_writes_nothing(theirs, has_requests)
        self.another_operator_is_in_the_way(theirs)
        before, secret = workloads(), cluster.kube.get(CA)
        code, out, error = adopt()
        self.assertEqual(code, 0, error)
        self.assertIn("Installation default\n", out)
        self.assert_same(before, workloads(), templates_only=False)
        taken = theirs.live()
        for path, live in taken.items():
            self.assertEqual([f for f in live["metadata"].get("finalizers", []) if "tigera.io" in f], [], path)
        self.assertEqual(cluster.kube.get(CA) and cluster.kube.get(CA)["data"], secret and secret["data"])
        code, out, error = adopt()
        self.assertEqual((code, out), (0, ""), error)
        self.assertIn("everything was taken over already", error)
        self.assertEqual(versions(theirs.live()), versions(taken))
        self.operator_goes_on(theirs, case, has_requests, before, secret)
        self.way_back(theirs, has_requests)

    def check_tells_and_writes_nothing(self, theirs, has_requests):
        before = versions(theirs.live())
        code, out, error = adopt("--check", "-o", "json")
        report = json.loads(out)
        restarting = {entry["name"] for entry in report["objects"] if entry["restartsPods"]}
        changes = [(entry["name"], change["field"], change["old"], change["new"]) for entry in report["objects"]
                   for change in entry["changes"] if change["by"] == "operator" and entry["restartsPods"]]
        self.assertEqual(restarting, {"calico-node", "calico-typha"} if has_requests else set(), changes)
        self.assertEqual(code, 3 if has_requests else 0, error)
        self.assertEqual(versions(theirs.live()), before)
        self.assertNotIn("PRIVATE KEY", out)
        for one in report["objects"]:
            if one["kind"] == "Secret":
                self.assertNotIn("LS0t", json.dumps(one))
        by_name = {(entry["kind"], entry["name"]): entry for entry in report["objects"]}
        account = by_name["ServiceAccount", "calico-cni-plugin"]
        self.assertIn("metadata.finalizers", [change["field"] for change in account["changes"]])

    def another_operator_is_in_the_way(self, theirs):
        before = versions(theirs.live())
        labels = {"k8s-app": "tigera-operator"}
        cluster.kube.request("POST", DEPLOYMENT.rpartition("/")[0], {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "tigera-operator", "namespace": "tigera-operator"},
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {
                "containers": [{"name": "tigera-operator", "image": "quay.io/tigera/operator:v1.42.4"}]}}}})
        for words in ((), ("--check",)):
            code, _, error = adopt(*words)
            self.assertEqual(code, 1, error)
            self.assertIn("kubectl -n tigera-operator delete deployment tigera-operator", error)
        self.assertEqual(versions(theirs.live()), before)
        cluster.kube.delete(DEPLOYMENT)

    def assert_same(self, before, after, templates_only):
        self.assertEqual(set(before), set(after))
        for workload, live in before.items():
            self.assertEqual(live["spec"]["template"], after[workload]["spec"]["template"], workload)
            if not templates_only:
                self.assertEqual(live["metadata"]["generation"], after[workload]["metadata"]["generation"], workload)

    def operator_goes_on(self, theirs, case, has_requests, before, secret):
        install.apply_manifests(cluster.kube, "operator")
        cluster.kube.delete(DEPLOYMENT)  # it runs as a process of this machine
        release = "v3." + {"v1.44": "33", "v1.42.4": "32", "v1.32.13": "27"}[case.partition("/")[0]]
        config = cluster.kubeconfig("adopted", cluster.token("tigera-operator", "tigera-operator", seconds=7200))
        operator = cluster.start(f"operator-{release}", [
            str(environment.BIN / "calico-operator"), f"--kubeconfig={config}", f"--release={release}", "--metrics-addr=",
            "--health-addr="], {"OPERATOR_NAMESPACE": "tigera-operator", "KUBERNETES_SERVICE_HOST": ENDPOINT[0],
                                "KUBERNETES_SERVICE_PORT": ENDPOINT[1]})
        try:
            kubes.wait_for("the operator's mark on every workload", lambda: all(
                "operator.tigera.io/applied" in live["metadata"].get("annotations", {}) for live in workloads().values()), 30,
                explain=lambda: f"{install.conditions(cluster.kube)} {operator.text()[-1500:]}")
            if not has_requests:
                # A Deployment's generation also counts replicas, which follow the number of nodes.
                self.assert_same(before, workloads(), templates_only=True)
                self.assertEqual(cluster.kube.get(CA)["data"], secret["data"])
                for workload in ("daemonsets/calico-node", "daemonsets/csi-node-driver"):
                    self.assertEqual(before[workload]["metadata"]["generation"], workloads()[workload]["metadata"]["generation"])
            code, out, error = adopt(f"--release={release}")
            self.assertEqual((code, out), (0, ""), error)
        finally:
            operator.kill()

    def way_back(self, theirs, has_requests):
        """Tigera's operator updates its objects as ever, and no template changes that did not differ."""
        before = workloads()
        theirs.write_again()
        if not has_requests:
            self.assert_same(before, workloads(), templates_only=True)
        for path, live in theirs.live().items():
            label = live["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by", "tigera-operator")
            self.assertIn(label, ("tigera-operator", "calico-operator"), path)
        code, _, error = adopt()
        self.assertEqual(code, 0, error)


if __name__ == "__main__":
    unittest.main()
