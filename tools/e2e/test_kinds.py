"""The kinds of Calico's stock file on a real cluster of two nodes, an ImageSet and an overlay."""

import base64
import json
import unittest

from deployment import install, kube as kubes
from e2e import environment
from e2e.environment import openssl

OPERATOR_API = "/apis/operator.tigera.io/v1"
STATUSES = f"{OPERATOR_API}/tigerastatuses"
APISERVER = f"{OPERATOR_API}/apiservers/default"
DEPLOYMENT = "/apis/apps/v1/namespaces/calico-system/deployments/calico-apiserver"
DAEMONSET = "/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node"
APISERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org"
DNS_NAMES = ["calico-api" + end for end in ("", ".calico-system", ".calico-system.svc", ".calico-system.svc.cluster.local")]
DIGEST = "sha256:" + 64 * "a"


def setUpModule():
    global cluster
    cluster = environment.Cluster("kinds", nodes=2)
    cluster.load_images()
    cluster.deploy()


def tearDownModule():
    cluster.down()


def document(kind, spec=None, name="default"):
    return {"apiVersion": "operator.tigera.io/v1", "kind": kind, "metadata": {"name": name},
            **({} if spec is None else {"spec": spec})}


def apply(*documents):
    """In one `kubectl apply`, as people do with the stock file."""
    return cluster.kube.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}))


def condition(status, kind):
    found = cluster.kube.get(f"{STATUSES}/{status}") or {}
    return next((c for c in found.get("status", {}).get("conditions") or [] if c["type"] == kind), {})


def explain():
    lines = [f"{item['metadata']['name']}: {[(c['type'], c['status'], c.get('message')) for c in item.get('status', {}).get('conditions', [])]}"
             for item in cluster.kube.items(STATUSES)]
    return "; ".join(lines + [install.explain(cluster.kube)])


def wait_available(*names, timeout=150):
    for name in names:
        kubes.wait_for(f"TigeraStatus {name} Available", lambda name=name: condition(name, "Available").get("status") == "True",
                       timeout, explain=explain)


def pods(app):
    found = cluster.kube.items(f"/api/v1/namespaces/calico-system/pods?labelSelector=k8s-app%3D{app}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def images(path):
    spec = cluster.kube.get(path)["spec"]["template"]["spec"]
    return [container["image"] for container in spec.get("initContainers", []) + spec["containers"]]


def owned_by_apiserver():
    """Everything that belongs to an APIServer."""
    kinds = ("/api/v1/namespaces/calico-system/serviceaccounts", "/api/v1/namespaces/calico-system/services",
             "/apis/apps/v1/namespaces/calico-system/deployments", "/apis/policy/v1/namespaces/calico-system/poddisruptionbudgets",
             "/apis/rbac.authorization.k8s.io/v1/clusterroles", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
             "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings",
             "/apis/apiregistration.k8s.io/v1/apiservices", STATUSES)
    return sorted(f"{kind.rpartition('/')[2]}/{item['metadata']['name']}" for kind in kinds for item in cluster.kube.items(kind)
                  if any(owner["kind"] == "APIServer" for owner in item["metadata"].get("ownerReferences", [])))


class KindsTest(unittest.TestCase):
    """Methods run in the order of their names; each starts from an available installation."""

    def test_1_the_stock_file_installs_calico_and_its_api_server(self):
        spec = {"certificateManagement": install.certificate_management(cluster.ca),
                "calicoNetwork": {"ipPools": [{"name": "default-ipv4-ippool", "blockSize": 26, "cidr": "192.168.0.0/16",
                                               "encapsulation": "VXLANCrossSubnet", "natOutgoing": "Enabled", "nodeSelector": "all()"}]}}
        apply(document("Installation", spec), document("APIServer", {}), document("Goldmane"), document("Whisker"))
        wait_available("calico", "apiserver")
        self.assertEqual(cluster.kube.get(DAEMONSET)["metadata"]["generation"], 1)
        self.assertEqual(cluster.kube.get(DEPLOYMENT)["metadata"]["generation"], 1)
        ready = next(c for c in cluster.kube.get(APISERVER)["status"]["conditions"] if c["type"] == "Ready")
        self.assertEqual(ready["status"], "True")

    def test_2_each_pod_of_the_api_server_got_its_certificate_from_our_signer(self):
        found = pods("calico-apiserver")
        self.assertEqual(len(found), 2)
        for pod in found:
            csr = cluster.kube.get(environment.csr_path(environment.csr_name(pod)))
            self.assertIn("Approved", [c["type"] for c in csr["status"]["conditions"]])
            self.assertEqual(csr["spec"]["username"], "system:serviceaccount:calico-system:calico-apiserver")
            _, text = openssl("x509", "-noout", "-text", text=base64.b64decode(csr["status"]["certificate"]).decode())
            self.assertIn("CN = calico-api", text)
            names = next(line for line in text.splitlines() if "DNS:" in line)
            self.assertEqual(sorted(name.strip() for name in names.split(",")), sorted(f"DNS:{name}" for name in DNS_NAMES))
            self.assertIn("TLS Web Server Authentication", text)

    def test_3_the_aggregator_reaches_it_and_trusts_the_signers_ca(self):
        service = cluster.kube.get(APISERVICE)
        self.assertEqual(base64.b64decode(service["spec"]["caBundle"]), cluster.ca.read_bytes())
        self.assertIn(("Available", "True"), [(c["type"], c["status"]) for c in service["status"]["conditions"]])
        self.assertEqual(cluster.kube.get("/apis/projectcalico.org/v3")["groupVersion"], "projectcalico.org/v3")

    def test_4_goldmane_and_whisker_are_told_not_to_run(self):
        for name in ("goldmane", "whisker"):
            degraded = condition(name, "Degraded")
            self.assertEqual((degraded["status"], degraded["reason"]), ("True", "NotApplicable"))
            self.assertIn(f"kubectl delete {name} default", degraded["message"])
            cluster.kube.kubectl("delete", name, "default")
            kubes.wait_for(f"TigeraStatus {name} gone", lambda name=name: cluster.kube.get(f"{STATUSES}/{name}") is None, 20)
        # The stand-in of Calico's API server has no tiers.
        cluster.kube.kubectl("wait", "--for=condition=Available", "--timeout=30s", "tigerastatus", "calico", "apiserver", "ippools")

    def test_5_an_overlay_changes_one_field(self):
        given = cluster.kube.get(install.INSTALLATION)["spec"]
        apply(document("Installation", {"controlPlaneReplicas": 1}, name="overlay"))
        kubes.wait_for("one replica", lambda: cluster.kube.get(DEPLOYMENT)["spec"]["replicas"] == 1, 10, explain=explain)
        wait_available("calico", "apiserver")
        computed = lambda: cluster.kube.get(install.INSTALLATION)["status"].get("computed", {})
        kubes.wait_for("the computed spec", lambda: computed().get("controlPlaneReplicas") == 1, 10, explain=explain)
        self.assertEqual(computed()["cni"]["type"], "Calico")
        self.assertEqual(cluster.kube.get(install.INSTALLATION)["spec"], given)
        self.assertEqual(cluster.kube.get(DAEMONSET)["metadata"]["generation"], 1)
        cluster.kube.kubectl("delete", "installation", "overlay")
        kubes.wait_for("two replicas", lambda: cluster.kube.get(DEPLOYMENT)["spec"]["replicas"] == 2, 10, explain=explain)
        wait_available("calico", "apiserver")

    def test_6_an_image_set_is_applied_and_a_wrong_one_changes_nothing(self):
        version = cluster.kube.get(install.INSTALLATION)["status"]["calicoVersion"]
        name = f"calico-{version}"
        before = {path: images(path) for path in (DAEMONSET, DEPLOYMENT)}
        apply(document("ImageSet", {"images": [{"image": "calico/node", "digest": DIGEST}]}, name=name))
        kubes.wait_for("what the set lacks", lambda: "has no image" in condition("calico", "Degraded").get("message", ""), 10, explain=explain)
        self.assertEqual({path: images(path) for path in before}, before)
        every = sorted({"calico/" + image.rpartition("/")[2].partition(":")[0].partition("@")[0]
                        for path in [*before] + [f"{path.rpartition('/')[0]}/{more}" for path, more in (
                            (DEPLOYMENT, "calico-typha"), (DEPLOYMENT, "calico-kube-controllers"), (DAEMONSET, "csi-node-driver"))]
                        for image in images(path)})
        apply(document("ImageSet", {"images": [{"image": image, "digest": DIGEST} for image in every]}, name=name))
        kubes.wait_for("digests", lambda: all(
            image.endswith(f"@{DIGEST}") or "key-cert-provisioner:" in image for path in before for image in images(path)),
            10, explain=explain)
        cluster.kube.kubectl("delete", "imageset", name)
        kubes.wait_for("tags", lambda: {path: images(path) for path in before} == before, 10, explain=explain)
        wait_available("calico", "apiserver")

    def test_7_deleting_the_apiserver_removes_all_that_belongs_to_it(self):
        self.assertGreater(len(owned_by_apiserver()), 12)
        cluster.kube.kubectl("delete", "apiserver", "default")
        kubes.wait_for("nothing of it left", lambda: not owned_by_apiserver(), 60, explain=lambda: str(owned_by_apiserver()))
        kubes.wait_for("no pod of it left", lambda: not pods("calico-apiserver"), 60)
        wait_available("calico")
        self.assertIsNone(cluster.kube.get(f"{STATUSES}/apiserver"))


if __name__ == "__main__":
    unittest.main()
