"""The operator as the CA: an Installation without certificateManagement on a real cluster of two nodes, edits by hand,
certificates of the user's, and the way to certificateManagement and back."""

import base64
import time
import unittest

from deployment import install, kube as kubes
from e2e import environment, forged
from e2e.environment import openssl

OPERATOR, PODS = "/api/v1/namespaces/tigera-operator", "/api/v1/namespaces/calico-system"
CA = f"{OPERATOR}/secrets/tigera-ca-private"
BUNDLE = f"{PODS}/configmaps/tigera-ca-bundle"
DAEMONSET = "/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node"
LABEL = "certificates.operator.tigera.io/signer"
NAMES = {"node-certs": "typha-client", "typha-certs": "typha-server"}


def setUpModule():
    global cluster
    cluster = environment.Cluster("operator-ca", nodes=2)
    cluster.load_images()
    cluster.deploy()


def tearDownModule():
    cluster.down()


def pods(app):
    return [pod for pod in cluster.kube.items(f"{PODS}/pods?labelSelector=k8s-app%3D{app}")
            if "deletionTimestamp" not in pod["metadata"]]


def uids():
    return sorted(pod["metadata"]["uid"] for app in ("calico-node", "calico-typha") for pod in pods(app))


def value(path, key):
    found = cluster.kube.get(path)
    return base64.b64decode(found["data"][key]).decode() if found and key in found.get("data", {}) else None


def typha_log():
    return "".join(cluster.kube.kubectl("-n", "calico-system", "logs", pod["metadata"]["name"]) for pod in pods("calico-typha"))


def apply(spec):
    cluster.kube.apply(install.INSTALLATION, install.installation(spec))


class OperatorCaTest(unittest.TestCase):
    """Methods run in the order of their names; each starts from an available installation."""

    def test_1_a_default_installation_has_pairs_of_the_operators_ca(self):
        apply({"variant": "Calico"})
        install.wait_available(cluster.kube)
        self.assertEqual(cluster.kube.get(DAEMONSET)["metadata"]["generation"], 1, "calico-node was rendered twice")
        self.assertEqual([c["metadata"]["name"] for c in cluster.kube.items(install.CSRS)
                          if c["spec"]["signerName"] == install.SIGNER_NAME], [])
        root = cluster.folder / "root.crt"
        root.write_text(value(CA, "tls.crt"), encoding="utf-8")
        _, text = openssl("x509", "-in", str(root), "-noout", "-text")
        for wanted in ("CN = tigera-operator-signer", "CA:TRUE", "Public-Key: (2048 bit)", "Certificate Sign"):
            self.assertIn(wanted, text)
        for name, dns in NAMES.items():
            for namespace in (OPERATOR, PODS):
                secret = cluster.kube.get(f"{namespace}/secrets/{name}")
                self.assertEqual(secret["type"], "Opaque")
                self.assertEqual(secret["metadata"]["labels"][LABEL], "tigera-operator-signer")
                self.assertEqual(secret["metadata"]["ownerReferences"][0]["kind"], "Installation")
                self.assertEqual(set(secret["data"]), {"tls.crt", "tls.key"})
            self.assertEqual(value(f"{OPERATOR}/secrets/{name}", "tls.key"), value(f"{PODS}/secrets/{name}", "tls.key"))
            leaf = cluster.folder / f"{name}.crt"
            leaf.write_text(value(f"{PODS}/secrets/{name}", "tls.crt"), encoding="utf-8")
            _, text = openssl("x509", "-in", str(leaf), "-noout", "-text")
            for wanted in (f"CN = {dns}", f"DNS:{dns}", "TLS Web Server Authentication", "TLS Web Client Authentication"):
                self.assertIn(wanted, text)
            code, text = openssl("verify", "-CAfile", str(root), str(leaf))
            self.assertEqual(code, 0, text)
        kubes.wait_for("mutual TLS between node and typha", lambda: "accepted client typha-client" in typha_log(), 20)

    def test_1_the_operators_token_gets_no_token_of_another_account(self):
        """By the way of a Secret that it may make, which the API server would fill."""
        token = cluster.token("tigera-operator", "tigera-operator")
        body = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": {
            "name": "node-certs", "namespace": "kube-system", "annotations": {"kubernetes.io/service-account.name": "default"}}}
        path = "/api/v1/namespaces/kube-system/secrets/node-certs"
        answer = forged.attempt(cluster.kube, "PATCH", path + "?fieldManager=thief&force=true", body,
                                "application/apply-patch+yaml", token=token)
        self.assertIn("tigera-operator-secrets", answer)
        self.assertIsNone(cluster.kube.get(path))
        for refused in (f"{OPERATOR}/secrets/node-certs", "/api/v1/namespaces/kube-system/secrets"):
            self.assertRegex(forged.attempt(cluster.kube, "GET", refused, None, "application/json", token=token), "^403")

    def test_2_what_is_done_by_hand_is_put_right_with_the_same_ca(self):
        ca, before = value(CA, "tls.crt"), uids()
        typha = value(f"{PODS}/secrets/typha-certs", "tls.crt")
        bundle = cluster.kube.get(BUNDLE)["data"]
        cluster.kube.delete(BUNDLE)
        cluster.kube.delete(f"{PODS}/secrets/typha-certs")
        cluster.kube.delete(f"{OPERATOR}/secrets/node-certs")
        cluster.kube.merge(CA, {"metadata": {"labels": {LABEL: None}}})
        kubes.wait_for("the bundle", lambda: (cluster.kube.get(BUNDLE) or {}).get("data") == bundle, 15)
        kubes.wait_for("the copy", lambda: value(f"{PODS}/secrets/typha-certs", "tls.crt") == typha, 15)
        kubes.wait_for("the original", lambda: value(f"{OPERATOR}/secrets/node-certs", "tls.crt"), 15)
        self._a_write_that_is_based_on_an_older_state_is_refused()
        kubes.wait_for("the label", lambda: LABEL in cluster.kube.get(CA)["metadata"]["labels"], 15)
        cluster.kube.merge(f"{PODS}/secrets/node-certs", {"data": {"tls.crt": base64.b64encode(b"nonsense").decode()}})
        kubes.wait_for("the data", lambda: "BEGIN" in value(f"{PODS}/secrets/node-certs", "tls.crt"), 15)
        install.wait_available(cluster.kube)
        self.assertEqual(value(CA, "tls.crt"), ca)
        self.assertEqual(uids(), before)
        since = environment.now_rfc3339()
        time.sleep(15)
        self.assertEqual(cluster.audit_writes(since, (environment.OPERATOR_USER,)), [])

    def _a_write_that_is_based_on_an_older_state_is_refused(self):
        """The server's side of what the operator sends with each write of an original: the resourceVersion that it read."""
        path = f"{OPERATOR}/secrets/node-certs"
        found = cluster.kube.get(path)
        stale = {"apiVersion": "v1", "kind": "Secret", "data": {"tls.crt": found["data"]["tls.crt"]},
                 "metadata": {"name": "node-certs", "namespace": "tigera-operator",
                              "resourceVersion": str(int(found["metadata"]["resourceVersion"]) - 1)}}
        answer = forged.attempt(cluster.kube, "PATCH", path + "?fieldManager=test&force=true", stale,
                                "application/apply-patch+yaml")
        self.assertRegex(answer, "^409")
        self.assertEqual(cluster.kube.get(path)["metadata"]["resourceVersion"], found["metadata"]["resourceVersion"])

    def test_3_pairs_of_the_users_win_and_bad_ones_take_nothing_away(self):
        for name, common_name in (("typha-certs", "my-typha"), ("node-certs", "my-felix")):
            self._supply(name, common_name, self._leaf(common_name))
        kubes.wait_for("felix connects to typha by the user's names", lambda: "accepted client my-felix" in typha_log(), 90)
        install.wait_available(cluster.kube)
        self.assertIn("cert.crt", cluster.kube.get(f"{PODS}/secrets/typha-certs")["data"])
        before = uids()
        certificate, _ = self._leaf("my-typha")
        self._supply("typha-certs", "my-typha", (certificate, ""))
        told = lambda: install.conditions(cluster.kube).get("Degraded", {})
        kubes.wait_for("the half pair told", lambda: "Secret tigera-operator/typha-certs" in told().get("message", ""), 15)
        self.assertEqual(told()["reason"], "CertificateError")
        self.assertEqual(uids(), before)
        self.assertIn("BEGIN", value(f"{PODS}/secrets/typha-certs", "tls.key"))
        for path in (*(f"{OPERATOR}/secrets/{name}" for name in NAMES), f"{OPERATOR}/configmaps/typha-ca"):
            cluster.kube.delete(path)
        kubes.wait_for("the operator's pairs again", lambda: all(
            value(f"{OPERATOR}/secrets/{name}", "tls.crt") for name in NAMES), 30)
        install.wait_available(cluster.kube)

    def _leaf(self, name):
        key, request, certificate = (str(cluster.folder / f"{name}.{end}") for end in ("key", "csr", "crt"))
        extensions = cluster.folder / "extensions"
        extensions.write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth,clientAuth\n", encoding="utf-8")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", str(cluster.ca), "-CAkey", str(cluster.ca_key), "-CAcreateserial",
                "-days", "90", "-extfile", str(extensions), "-out", certificate)
        return tuple((cluster.folder / f"{name}.{end}").read_text(encoding="utf-8") for end in ("crt", "key"))

    def _supply(self, name, common_name, pair):
        """As kubectl replace does it: nothing of what the operator had written stays."""
        data = {"cert.crt": pair[0], "key.key": pair[1], "common-name": common_name}
        cluster.kube.request("PUT", f"{OPERATOR}/secrets/{name}", {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "tigera-operator"},
            "type": "Opaque", "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items() if text}})
        if name == "typha-certs":
            return
        authority = cluster.ca.read_text(encoding="utf-8")
        cluster.kube.apply(f"{OPERATOR}/configmaps/typha-ca", {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "typha-ca", "namespace": "tigera-operator"},
            "data": {"caBundle": authority}})

    def test_4_with_certificate_management_pods_ask_and_the_keys_go(self):
        apply({"certificateManagement": install.certificate_management(cluster.ca)})
        kubes.wait_for("pods that ask", lambda: all(
            pods(app) and all("initContainers" in pod["spec"] and any(
                container["name"].endswith("key-cert-provisioner") for container in pod["spec"]["initContainers"])
                for pod in pods(app)) for app in ("calico-node", "calico-typha")), 90)
        install.wait_available(cluster.kube)
        kubes.wait_for("no key left", lambda: not any(
            cluster.kube.get(f"{namespace}/secrets/{name}") for namespace in (OPERATOR, PODS)
            for name in ("tigera-ca-private", *NAMES)), 30)

    def test_5_without_it_there_is_a_ca_again(self):
        apply({"variant": "Calico"})
        kubes.wait_for("a CA", lambda: cluster.kube.get(CA), 15)
        kubes.wait_for("pods that mount Secrets", lambda: all(
            pods(app) and all("key-cert-provisioner" not in str(pod["spec"].get("initContainers")) for pod in pods(app))
            for app in ("calico-node", "calico-typha")), 90)
        install.wait_available(cluster.kube)
