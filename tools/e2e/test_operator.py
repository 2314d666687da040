"""The operator as a process under its own service account: killed, doubled, and given nonsense."""

import base64
import json
import random
import time
import unittest

from deployment import install, kube as kubes
from e2e import environment

DAEMONSET = "/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/tigera-operator/leases/operator-lock"


def setUpModule():
    global cluster
    cluster = environment.Cluster("operator", nodes=0)
    cluster.deploy()


def tearDownModule():
    cluster.down()


def good():
    return {"certificateManagement": install.certificate_management(cluster.ca)}


def remove_installation():
    cluster.kube.delete(install.INSTALLATION)
    for path in environment.RENDERED_KINDS:
        for item in cluster.kube.items(path) if "admission" not in path or cluster.minor >= 30 else []:
            if any(owner["kind"] == "Installation" for owner in item["metadata"].get("ownerReferences", [])):
                cluster.kube.delete(f"{path}/{item['metadata']['name']}")
    cluster.kube.delete("/api/v1/namespaces/calico-system")
    cluster.kube.delete(install.STATUS)
    kubes.wait_for("the namespace to go", lambda: cluster.kube.get("/api/v1/namespaces/calico-system") is None, 60)


def apply(spec):
    return cluster.kube.apply(install.INSTALLATION, install.installation(spec))


class KillTest(unittest.TestCase):
    def test_1_ten_kills_during_install_end_in_the_same_state(self):
        apply(good())
        operator = cluster.start_operator("--leader-elect=false", label="whole")
        kubes.wait_for("conditions", lambda: len(install.conditions(cluster.kube)) == 3, 20, explain=operator.text)
        kubes.wait_for("the DaemonSet", lambda: cluster.kube.get(DAEMONSET), 20, explain=operator.text)
        time.sleep(2)
        whole = environment.rendered(cluster)
        self.assertGreater(len(whole), 12)
        operator.kill()
        remove_installation()
        chance = random.Random(20261122)
        apply(good())
        for number in range(10):
            operator = cluster.start_operator("--leader-elect=false", label=f"killed-{number}")
            time.sleep(chance.uniform(0.02, 0.35))
            operator.kill()
        operator = cluster.start_operator("--leader-elect=false", label="last")
        kubes.wait_for("the same objects", lambda: environment.rendered(cluster) == whole, 30,
                       explain=lambda: environment.difference(whole, environment.rendered(cluster)))
        operator.kill()

    def test_2_of_two_operators_one_leads_and_the_other_takes_over(self):
        apply(good())
        first, second = cluster.start_operator(label="first"), cluster.start_operator(label="second")
        holder = lambda: (cluster.kube.get(LEASE) or {}).get("spec", {}).get("holderIdentity")
        leader = kubes.wait_for("a leader", holder, 30)
        time.sleep(3)
        self.assertEqual(holder(), leader)
        seconds, code = first.terminate()
        self.assertLess(seconds, 5)
        self.assertEqual(code, 0, first.text()[-800:])
        kubes.wait_for("a leader after the first one went", holder, 5)
        cluster.kube.delete(DAEMONSET)
        kubes.wait_for("the DaemonSet made again by the other", lambda: cluster.kube.get(DAEMONSET), 10, explain=second.text)
        seconds, code = second.terminate()
        self.assertLess(seconds, 5)
        self.assertEqual(code, 0)
        self.assertFalse(holder(), "the lease was not given up")


class PullSecretTest(unittest.TestCase):
    def test_the_right_to_copy_them_goes_with_the_namespace_and_the_status_says_how_it_comes_back(self):
        source, copy = (f"/api/v1/namespaces/{namespace}/secrets/my-pull" for namespace in ("tigera-operator", "calico-system"))
        cluster.kube.apply(source, {
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": "my-pull", "namespace": "tigera-operator"}, "data": {".dockerconfigjson": "eyJhdXRocyI6e319"}})
        remove_installation()
        apply({**good(), "imagePullSecrets": [{"name": "my-pull"}]})
        operator = cluster.start_operator("--leader-elect=false", label="pull-secrets")

        def told():
            degraded = install.conditions(cluster.kube).get("Degraded", {})
            return degraded.get("status") == "True" and degraded["message"]

        message = kubes.wait_for("the status to say so", told, 30, explain=operator.text)
        for part in ('cannot patch resource "secrets"', 'namespace "calico-system"', "kubectl apply --server-side -f image-pull-secrets.yaml"):
            self.assertIn(part, message)
        install.apply_manifests(cluster.kube, "image-pull-secrets")
        kubes.wait_for("the copy", lambda: cluster.kube.get(copy), 60, explain=operator.text)
        kubes.wait_for("the DaemonSet", lambda: cluster.kube.get(DAEMONSET), 10, explain=operator.text)
        operator.kill()
        remove_installation()
        cluster.kube.delete(source)


class ChangedByHandTest(unittest.TestCase):
    """Fields that exclude ours: applying alone would leave both, which the API server refuses for ever."""

    def test_excluding_fields_are_put_right(self):
        apply(good())
        operator = cluster.start_operator("--leader-elect=false", label="by-hand")
        kubes.wait_for("the DaemonSet", lambda: cluster.kube.get(DAEMONSET), 30, explain=operator.text)
        time.sleep(1)
        pods = lambda: cluster.kube.get(DAEMONSET)["spec"]["template"]["spec"]
        whole = pods()
        volume = next(i for i, volume in enumerate(whole["volumes"]) if volume["name"] == "node-certs")
        replace = lambda path, value: self._patch([{"op": "replace", "path": f"/spec/template/spec/{path}", "value": value}])
        changes = (
            ("value beside valueFrom", lambda: cluster.kube.kubectl(
                "set", "env", "daemonset/calico-node", "--namespace=calico-system", "--containers=calico-node", "NODENAME=x")),
            ("another source of a volume", lambda: replace(
                f"volumes/{volume}", {"name": "node-certs", "hostPath": {"path": "/etc"}})),
            ("another handler of a probe", lambda: replace(
                "containers/0/livenessProbe", {"tcpSocket": {"port": 1}})),
        )
        for name, change in changes:
            with self.subTest(name):
                generation = lambda: cluster.kube.get(DAEMONSET)["metadata"]["generation"]
                before = generation()
                change()
                kubes.wait_for("the change", lambda: generation() > before, 10)
                kubes.wait_for("our spec again", lambda: pods() == whole, 15, explain=lambda: operator.text()[-1500:])
                kubes.wait_for("Degraded cleared", lambda: install.conditions(cluster.kube)["Degraded"]["status"] == "False",
                               10, explain=operator.text)
        operator.kill()

    def _patch(self, operations):
        cluster.kube.request("PATCH", DAEMONSET + "?fieldManager=by-hand", operations, "application/json-patch+json")


class ManageCrdsTest(unittest.TestCase):
    def test_a_cluster_without_definitions_gets_them(self):
        remove_installation()
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
        names = ("installations.operator.tigera.io", "tigerastatuses.operator.tigera.io")
        for name in names:
            cluster.kube.delete(path + name)
        kubes.wait_for("no definitions", lambda: not any(cluster.kube.get(path + name) for name in names), 30)
        operator = cluster.start_operator("--leader-elect=false", "--manage-crds", label="definitions")
        install.wait_for_crds(cluster.kube)
        kubes.wait_for("Installations to be served", lambda: self._is_served(), 15)
        apply(good())
        kubes.wait_for("the DaemonSet", lambda: cluster.kube.get(DAEMONSET), 30, explain=operator.text)
        kubes.wait_for("conditions", lambda: len(install.conditions(cluster.kube)) == 3, 20, explain=operator.text)
        operator.kill()

    def _is_served(self):
        try:
            return cluster.kube.items(install.INSTALLATION.rsplit("/", 1)[0]) == []
        except kubes.KubeError:
            return False


class BadInstallationTest(unittest.TestCase):
    """Each bad Installation is refused by the API server or gives a clear Degraded, and changes nothing."""

    def cases(self):
        encode = lambda text: base64.b64encode(text.encode() if isinstance(text, str) else text).decode()
        ca, key = cluster.ca.read_text(), cluster.ca_key.read_text()
        management = lambda **more: {"certificateManagement": {**install.certificate_management(cluster.ca), **more}}
        leaf, expired, future = (environment.dated_ca(cluster.folder, *a) for a in (
            ("leaf", "CA:FALSE", 0, 10), ("expired", "CA:TRUE", -20, -10), ("future", "CA:TRUE", 10, 20)))
        return [
            ("not PEM", management(caCert=encode("not pem at all")), "caCert"),
            ("PEM that is no certificate", management(caCert=encode("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")), "caCert"),
            ("not a CA", management(caCert=encode(leaf)), "CA"),
            ("expired", management(caCert=encode(expired)), "expired"),
            ("not yet valid", management(caCert=encode(future)), "not valid before"),
            ("second certificate cut off", management(caCert=encode(ca + ca[:300])), "caCert"),
            ("private key pasted in", management(caCert=encode(ca + key)), "private key"),
            ("one expired, the other not yet valid", management(caCert=encode(expired + future)), "expired"),
            ("caCert empty", management(caCert=""), "caCert"),
            ("caCert not base64", management(caCert="%%%"), "caCert"),
            ("caCert missing", {"certificateManagement": {"signerName": install.SIGNER_NAME}}, "caCert"),
            ("signerName missing", {"certificateManagement": {"caCert": encode(ca)}}, "signerName"),
            ("signerName without a path", management(signerName="signer"), "signerName"),
            ("signerName without a domain", management(signerName="signer/x"), "signerName"),
            ("signerName of Kubernetes", management(signerName="kubernetes.io/kube-apiserver-client"), "signerName"),
            ("unknown key algorithm", management(keyAlgorithm="RSAWithSize1024"), "keyAlgorithm"),
            ("unknown signature algorithm", management(signatureAlgorithm="MD5WithRSA"), "signatureAlgorithm"),
            ("families differ", management(keyAlgorithm="ECDSAWithCurve256", signatureAlgorithm="SHA256WithRSA"), "signatureAlgorithm"),
            ("families differ with the default key", management(signatureAlgorithm="ECDSAWithSHA256"), "signatureAlgorithm"),
            ("pull secret that is not there", {**management(), "imagePullSecrets": [{"name": "nope"}]}, "nope"),
            ("metrics port out of range", {**management(), "nodeMetricsPort": 99999}, "nodeMetricsPort"),
            ("mtu below zero", {**management(), "calicoNetwork": {"mtu": -5}}, "mtu"),
        ]

    def test_bad_installations(self):
        apply(good())
        operator = cluster.start_operator("--leader-elect=false", label="bad")
        kubes.wait_for("the DaemonSet", lambda: cluster.kube.get(DAEMONSET), 30, explain=operator.text)
        time.sleep(2)
        generation = lambda: cluster.kube.get(DAEMONSET)["metadata"]["generation"]
        before = generation()
        for name, spec, wanted in self.cases():
            with self.subTest(name):
                self._refused_or_degraded(spec, wanted, operator)
                self.assertEqual(generation(), before, "the DaemonSet was changed")
                self._put(good())
                kubes.wait_for("Degraded cleared", lambda: install.conditions(cluster.kube).get("Degraded", {}).get("status") == "False",
                               10, explain=operator.text)
        self.assertEqual(generation(), before)
        operator.kill()

    def _put(self, spec):
        """Replaces the whole spec, as kubectl replace would; the operator writes the status meanwhile."""
        while True:
            current = cluster.kube.get(install.INSTALLATION)
            current["spec"] = spec
            try:
                return cluster.kube.request("PUT", install.INSTALLATION, current)
            except kubes.KubeError as error:
                if error.code != 409:
                    raise

    def _refused_or_degraded(self, spec, wanted, operator):
        try:
            generation = self._put(spec)["metadata"]["generation"]
        except kubes.KubeError as error:
            self.assertIn(error.code, (400, 422), error)
            self.assertIn(wanted, str(error))
            return
        def degraded():
            condition = install.conditions(cluster.kube).get("Degraded", {})
            return condition.get("status") == "True" and condition.get("observedGeneration") == generation and condition
        condition = kubes.wait_for("Degraded", degraded, 10, explain=lambda: json.dumps(install.conditions(cluster.kube)))
        self.assertIn(wanted, condition["message"])
        self.assertNotIn("MII", condition["message"])


if __name__ == "__main__":
    unittest.main()
