"""Kubernetes' page on TLS certificates in a cluster, executed twice on a real cluster: by hand with cfssl, jq and kubectl, and
with calicert, under an account that has the documented rights and no more. The results have to be the same, and a server in a
pod that mounts them is believed by clients in pods that reach it through its Service."""

import base64
import json
import os
import re
import subprocess
import time
import unittest

from deployment import install, kube as kubes
from e2e import environment, pod_network

CALICERT = environment.BIN / "calicert"
HAND, OURS = "by-hand", "by-calicert"
NODE = "node1"
SIGNER = "example.com/serving"
SERVICE_NAME = "my-svc.my-namespace.svc.cluster.local"
# The page's, with the address of the Service of each way in place of the page's one.
REQUEST = {"hosts": [SERVICE_NAME, "my-pod.my-namespace.pod.cluster.local", "10.0.34.2"],
           "CN": "my-pod.my-namespace.pod.cluster.local", "key": {"algo": "ecdsa", "size": 256}}
CA = {"CN": "My Example Signer", "key": {"algo": "rsa", "size": 2048}}
CONFIG = {"signing": {"default": {"usages": ["digital signature", "key encipherment", "server auth"], "expiry": "876000h",
                                  "ca_constraint": {"is_ca": False}}}}
# The page's commands, in its order.
BY_HAND = """
set -euo pipefail
cfssl genkey - < server.json | cfssljson -bare server
cat <<EOF | kubectl apply -f -
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata:
  name: my-svc.my-namespace
spec:
  request: $(cat server.csr | base64 | tr -d '\\n')
  signerName: example.com/serving
  usages:
  - digital signature
  - key encipherment
  - server auth
EOF
kubectl certificate approve my-svc.my-namespace
cfssl gencert -initca - < ca.json | cfssljson -bare ca
kubectl get csr my-svc.my-namespace -o jsonpath='{.spec.request}' | base64 --decode |
  cfssl sign -ca ca.pem -ca-key ca-key.pem -config server-signing-config.json - | cfssljson -bare ca-signed-server
kubectl get csr my-svc.my-namespace -o json |
  jq '.status.certificate = "'$(base64 ca-signed-server.pem | tr -d '\\n')'"' |
  kubectl replace --raw /apis/certificates.k8s.io/v1/certificatesigningrequests/my-svc.my-namespace/status -f -
kubectl get csr my-svc.my-namespace -o jsonpath='{.status.certificate}' | base64 --decode > server.crt
kubectl -n by-hand create secret tls server --cert server.crt --key server-key.pem
kubectl -n by-hand create configmap example-serving-ca --from-file ca.crt=ca.pem
"""
# What docs/CALICERT.md says that the commands need.
RIGHTS = f"""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: calicert}}
rules:
- {{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests], verbs: [create, get, list, watch, delete]}}
- apiGroups: [certificates.k8s.io]
  resources: [certificatesigningrequests/approval, certificatesigningrequests/status]
  verbs: [update]
- {{apiGroups: [certificates.k8s.io], resources: [signers], resourceNames: [{SIGNER}], verbs: [approve, sign]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: calicert}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: calicert}}
subjects: [{{kind: ServiceAccount, name: calicert, namespace: {OURS}}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: calicert, namespace: {OURS}}}
rules:
- {{apiGroups: [""], resources: [secrets, configmaps], verbs: [create, get, update]}}
- {{apiGroups: [""], resources: [services], verbs: [get]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: calicert, namespace: {OURS}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: calicert}}
subjects: [{{kind: ServiceAccount, name: calicert, namespace: {OURS}}}]
"""
# What a client does who trusts the ConfigMap's CA and nothing else.
CLIENT = """
set -eu
for attempt in $(seq 100); do (echo > "/dev/tcp/$NAME/443") 2> /dev/null && break; sleep 0.2; done
openssl s_client -connect "$NAME:443" -CAfile /trust/ca.crt -verify_return_error -verify_hostname "$NAME" < /dev/null 2>&1
for host in "$NAME" "$ADDRESS"; do
  curl --silent --show-error --fail --noproxy '*' --cacert /trust/ca.crt "https://$host/" | grep -q '<HTML>'
  echo "curl believes $host"
done
"""


def setUpModule():
    global cluster, folder, limited
    cluster = environment.Cluster("calicert", nodes=1)
    folder = cluster.folder
    pod_network.start(cluster, NODE)
    for namespace in (HAND, OURS):
        install.namespace(cluster.kube, namespace)
        REQUEST["hosts"].append(service(namespace, "my-svc"))
    for name, content in (("server.json", REQUEST), ("ca.json", CA), ("server-signing-config.json", CONFIG)):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    cluster.kube.kubectl("apply", "-f", "-", text=RIGHTS)
    cluster.kube.kubectl("-n", OURS, "create", "serviceaccount", "calicert")
    limited = cluster.kubeconfig("limited", cluster.token(OURS, "calicert"))
    (folder / "bin").mkdir()
    (folder / "bin/kubectl-calicert").symlink_to(CALICERT)
    (folder / "bin/kubectl").symlink_to(cluster.status["kubectl"])
    result = run(["bash", "-c", BY_HAND], cluster.status["kubeconfig"])
    if result.returncode != 0:
        raise AssertionError(f"by hand: {result.stdout[-1000:]}\n{result.stderr[-2000:]}")


def tearDownModule():
    cluster.down()


def service(namespace, name):
    """Makes a Service in front of the pod of its name; its address."""
    made = cluster.kube.request("POST", f"/api/v1/namespaces/{namespace}/services", {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 443, "targetPort": 8443}]}})
    return made["spec"]["clusterIP"]


def run_pod(pod):
    core = f"/api/v1/namespaces/{pod['metadata']['namespace']}"
    kubes.wait_for("the namespace to have its service account", lambda: cluster.kube.get(f"{core}/serviceaccounts/default"), 60)
    cluster.kube.request("POST", f"{core}/pods", pod)


def serve(namespace, name, secret):
    run_pod(pod_network.pod(namespace, name,
                            ["openssl", "s_server", "-accept", "8443", "-cert", "/tls/tls.crt", "-key", "/tls/tls.key", "-www"],
                            {"/tls": {"secret": {"secretName": secret}}}, ports={"https": 8443}))


def start_client(client, namespace, name, config_map, host):
    address = stored("services", namespace, name)["spec"]["clusterIP"]
    run_pod(pod_network.pod(namespace, client, ["bash", "-c", f"NAME={host} ADDRESS={address}\n{CLIENT}"],
                            {"/trust": {"configMap": {"name": config_map}}}, {address: [host]}))


def end_of(namespace, name):
    """How a pod has ended, and what it has printed."""
    phase = lambda: stored("pods", namespace, name)["status"]["phase"]
    kubes.wait_for(f"the end of pod {namespace}/{name}", lambda: phase() in ("Succeeded", "Failed"), 60)
    return phase(), cluster.kube.kubectl("-n", namespace, "logs", name)


def run(words, kubeconfig, **more):
    environment_variables = {**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(folder),
                             "PATH": f"{folder}/bin:{os.environ['PATH']}", **more}
    return subprocess.run([str(word) for word in words], cwd=folder, env=environment_variables, capture_output=True, text=True,
                          check=False, timeout=60)


def calicert(*words):
    return run([CALICERT, *words], limited)


def admin(*words):
    return run([CALICERT, *words], cluster.status["kubeconfig"])


def results_of(check):
    return {each["check"]: each["result"] for each in json.loads(check.stdout)["checks"]}


def stored(kind, namespace, name):
    return cluster.kube.request("GET", f"/api/v1/namespaces/{namespace}/{kind}/{name}")


def decoded(secret, key):
    return base64.b64decode(secret["data"][key]).decode()


def described(certificate):
    """What openssl prints of a certificate, without serial number, times, keys and signature."""
    _, text = environment.openssl("x509", "-noout", "-text", text=certificate)
    text = re.sub(r"Serial Number:.*?(?=\n +Signature Algorithm)", "Serial Number", text, count=1, flags=re.DOTALL)
    text = re.sub(r"(Not Before|Not After ?): .*", r"\1", text)
    text = re.sub(r"pub:\n(?: +[0-9a-f:]+\n)+", "pub\n", text)
    text = re.sub(r"(Subject Key Identifier: *\n) +[0-9A-F:]+", r"\1", text)
    text = re.sub(r"\n +Signature Algorithm: [^\n]+\n +Signature Value:.*", "", text, flags=re.DOTALL)
    head, extensions = text.split("X509v3 extensions:\n")
    # The order of extensions means nothing.
    return head, sorted(re.split(r"\n(?= {12}X509v3)", extensions.rstrip()))


class TlsPageTest(unittest.TestCase):
    maxDiff = None

    def test_1_one_command_gives_the_same_objects(self):
        words = ("tls", "my-svc", "-n", OURS, "--ca", "ca.pem", "--ca-key", "ca-key.pem", "--config", "server-signing-config.json",
                 "--request", "server.json", "--secret-name", "server", "--configmap-name", "example-serving-ca")
        first = calicert(*words)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(first.stdout, "configmap/example-serving-ca created\nsecret/server created\n")
        hand, ours = stored("secrets", HAND, "server"), stored("secrets", OURS, "server")
        self.assertEqual(ours["type"], hand["type"])
        self.assertEqual(sorted(ours["data"]), sorted(hand["data"]))
        for meta in (hand["metadata"], ours["metadata"]):
            self.assertFalse({"labels", "annotations", "ownerReferences", "finalizers"} & set(meta))
        self.assertEqual(described(decoded(ours, "tls.crt")), described(decoded(hand, "tls.crt")))
        for secret in (hand, ours):
            self.assertEqual(decoded(secret, "tls.key").splitlines()[0], "-----BEGIN EC PRIVATE KEY-----")
        self.assertEqual(stored("configmaps", OURS, "example-serving-ca")["data"],
                         stored("configmaps", HAND, "example-serving-ca")["data"])
        again = calicert(*words)
        self.assertEqual(again.stdout, "secret/server unchanged\nconfigmap/example-serving-ca unchanged\n", again.stderr)
        self.assertEqual(stored("secrets", OURS, "server")["metadata"]["resourceVersion"], ours["metadata"]["resourceVersion"])

    def test_2_step_by_step_gives_the_same_certificate(self):
        name = "my-svc.step-by-step"
        for words, said in ((("create", name, "server.json", "--signer-name", SIGNER, "--out", "steps"), "created"),
                            (("approve", name), "approved"),
                            (("sign", name, "--ca", "ca.pem", "--ca-key", "ca-key.pem", "--config", "server-signing-config.json"),
                             "signed")):
            result = calicert("csr", *words)
            self.assertEqual(result.stdout, f"certificatesigningrequest.certificates.k8s.io/{name} {said}\n", result.stderr)
        waited = calicert("csr", "wait", name, "--timeout", "10s", "--out", "steps.crt")
        self.assertEqual(waited.returncode, 0, waited.stderr)
        self.assertEqual(described((folder / "steps.crt").read_text()), described((folder / "server.crt").read_text()))
        self.assertEqual(calicert("csr", "get", name, "-o", "pem").stdout, (folder / "steps.crt").read_text())
        self.assertEqual((folder / "steps-key.pem").stat().st_mode & 0o777, 0o600)

    def test_3_lists_as_kubectl_does(self):
        age = lambda text: re.sub(r"(?<= )(?:\d+[smh])+ *", "AGE ", re.sub(r"AGE +", "AGE ", text))
        listed = calicert("csr", "list")
        self.assertEqual(age(listed.stdout), age(cluster.kube.kubectl("get", "csr")), listed.stderr)
        self.assertRegex(listed.stdout, r"my-svc\.my-namespace .* Approved,Issued\n")
        plugin = run(["kubectl", "calicert", "csr", "list", "-o", "name"], limited)
        self.assertEqual(plugin.stdout, cluster.kube.kubectl("get", "csr", "-o", "name"), plugin.stderr)

    def test_4_the_server_is_believed_through_its_service(self):
        service(OURS, "web")
        served = calicert("tls", "web", "-n", OURS, "--ca", "ca.pem", "--ca-key", "ca-key.pem")
        self.assertEqual(served.returncode, 0, served.stderr)
        cases = ((HAND, "my-svc", "server", "example-serving-ca", SERVICE_NAME),
                 (OURS, "my-svc", "server", "example-serving-ca", SERVICE_NAME),
                 (OURS, "web", "web-tls", "web-ca", f"web.{OURS}.svc.cluster.local"))
        for namespace, name, secret, config_map, host in cases:
            serve(namespace, name, secret)
            start_client(f"client-of-{name}", namespace, name, config_map, host)
        start_client("stranger", OURS, "my-svc", "kube-root-ca.crt", SERVICE_NAME)
        for namespace, name, _, _, host in cases:
            with self.subTest(f"{namespace}/{name}"):
                ended, said = end_of(namespace, f"client-of-{name}")
                self.assertEqual(ended, "Succeeded", said)
                self.assertIn(f"Verified peername: {host}", said)
                self.assertEqual(said.count("curl believes"), 2, said)
        ended, said = end_of(OURS, "stranger")
        self.assertEqual(ended, "Failed", "who trusts another CA does not believe it")
        self.assertIn("unable to get local issuer certificate", said)

    def test_5_refusals_are_told(self):
        create = lambda name, signer: calicert("csr", "create", name, "server.csr", "--signer-name", signer)
        create("other-signer", "example.com/other")
        refused = calicert("csr", "approve", "other-signer")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("Error from server (Forbidden)", refused.stderr)
        self.assertIn('not permitted to approve requests with signerName "example.com/other"', refused.stderr)
        create("denied", SIGNER)
        calicert("csr", "deny", "denied", "--reason", "NotOurs", "--message", "nobody knows it")
        denied = calicert("csr", "wait", "denied")
        self.assertEqual((denied.returncode, "NotOurs: nobody knows it" in denied.stderr), (3, True), denied.stderr)
        late = calicert("csr", "wait", "other-signer", "--timeout", "1s")
        self.assertEqual(late.returncode, 5, late.stderr)
        other = calicert("csr", "create", "denied", "server.json", "--signer-name", SIGNER, "--out", "another")
        self.assertEqual(other.returncode, 1)
        self.assertIn("it was made with another key", other.stderr)
        self.assertEqual(calicert("csr", "delete", "denied").stdout,
                         'certificatesigningrequest.certificates.k8s.io "denied" deleted\n')
        nowhere = calicert("csr", "list", "--server", "https://127.0.0.1:1", "--request-timeout", "5")
        self.assertEqual(nowhere.returncode, 1)
        self.assertIn("refused", nowhere.stderr)

    def test_6_tells_what_ends(self):
        soon = admin("expiring", "-n", OURS, "--within", "100y", "-o", "json")
        self.assertEqual(soon.returncode, 3, soon.stderr)
        self.assertIn(f"secret/{OURS}/server", [item["place"] for item in json.loads(soon.stdout)["items"]])
        self.assertEqual(admin("expiring", "-n", OURS, "--within", "1h").returncode, 0)
        # Its Secret is renewed, and the server goes on with what it has read.
        old = decoded(stored("secrets", OURS, "web-tls"), "tls.crt")
        renewed = calicert("tls", "web", "-n", OURS, "--ca", "ca.pem", "--ca-key", "ca-key.pem", "--renew")
        self.assertEqual(renewed.returncode, 0, renewed.stderr)
        asked = admin("expiring", "-n", OURS, "--within", "100y", "--pods", "-o", "json")
        served = [int(item["serial"], 16) for item in json.loads(asked.stdout)["items"] if item["place"] == f"pod/{OURS}/web"]
        _, serial = environment.openssl("x509", "-noout", "-serial", text=old)
        self.assertEqual(served, [int(serial.strip().removeprefix("serial="), 16)], asked.stdout + asked.stderr)

    def test_9_a_pause_of_the_api_server_is_waited_out(self):
        calicert("csr", "create", "patient", "server.csr", "--signer-name", SIGNER)
        with subprocess.Popen([CALICERT, "csr", "wait", "patient", "--timeout", "60s"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env={**os.environ, "KUBECONFIG": str(limited)}) as waiting:
            time.sleep(1)
            cluster.restart("kube-apiserver")
            calicert("csr", "approve", "patient")
            calicert("csr", "sign", "patient", "--ca", "ca.pem", "--ca-key", "ca-key.pem")
            out, err = waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, 0, err)
        self.assertEqual(out, "certificatesigningrequest.certificates.k8s.io/patient issued\n")

    def test_7_in_a_pod_the_service_account_counts(self):
        pod_network.install(cluster, NODE, CALICERT)
        run_pod(pod_network.pod(OURS, "in-cluster", ["calicert", "csr", "list", "-o", "name"], {}, account="calicert"))
        ended, said = end_of(OURS, "in-cluster")
        self.assertEqual((ended, said), ("Succeeded", cluster.kube.kubectl("get", "csr", "-o", "name")))

    def test_7_objects_for_typha_are_applied(self):
        words = ("calico", "typha-tls", "typha-tls", "--apply")
        made = ("configmap/calico-typha-ca", "secret/calico-typha-certs", "secret/calico-node-certs")
        for how in ("created", "unchanged"):
            applied = admin(*words)
            self.assertEqual(applied.stdout, "".join(f"{name} {how}\n" for name in made), applied.stderr)
        self.assertEqual(decoded(stored("secrets", "kube-system", "calico-node-certs"), "calico-node.key"),
                         (folder / "typha-tls/calico-node.key").read_text())

    def test_8_checks_the_signer_and_every_single_thing_that_breaks(self):
        environment.cluster_command("load-image", "--name", cluster.name, str(install.DIST / "images/csr-signer.tar"))
        install.apply_manifests(cluster.kube, "crds")
        install.wait_for_crds(cluster.kube)
        management = install.certificate_management(cluster.ca)
        cluster.kube.apply(install.INSTALLATION, install.installation({"certificateManagement": management}))
        self.assertEqual(results_of(admin("check", "-o", "json")), {"deployment": "FAILED"})
        for namespace in ("tigera-operator", "csr-signer"):
            install.namespace(cluster.kube, namespace)
        # A node without a default route reaches no Service.
        install.api_endpoint(cluster.kube, *cluster.endpoint())
        install.ca_secret(cluster.kube, cluster.ca, cluster.ca_key)
        install.apply_manifests(cluster.kube, "signer")
        good = admin("check", "--wait", "--timeout", "50s", "-o", "json")
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertEqual(results_of(good), dict.fromkeys(("deployment", "signer-name", "rights", "policy", "ca", "trust"), "ok"))
        encoded = lambda text: base64.b64encode(text.encode()).decode()
        other = environment.dated_ca(cluster.folder, "other", "CA:TRUE", -1, 90)
        ended = environment.dated_ca(cluster.folder, "ended", "CA:TRUE", -90, -1)
        secret = "/api/v1/namespaces/csr-signer/secrets/csr-signer-ca"
        section = lambda **fields: {"spec": {"certificateManagement": {**management, **fields}}}
        cases = (("signer-name", install.INSTALLATION, section(signerName="example.com/other")),
                 ("trust", install.INSTALLATION, section(caCert=encoded(other))),
                 ("trust", install.INSTALLATION, section(caCert=encoded("no certificate"))),
                 ("ca", secret, {"data": {"tls.crt": encoded(ended)}}),
                 ("rights", "/apis/rbac.authorization.k8s.io/v1/clusterroles/csr-signer", {"rules": []}))
        for check, path, change in cases:
            with self.subTest(check):
                before = cluster.kube.get(path)
                cluster.kube.merge(path, change)
                # RBAC is a moment behind.
                kubes.wait_for(f"{check} told", lambda: results_of(admin("check", "-o", "json")).get(check) == "FAILED", 10)
                self.assertEqual(admin("check").returncode, 1)
                cluster.kube.merge(path, {key: before[key] for key in change})
                self.assertEqual(admin("check", "--wait", "--timeout", "50s").returncode, 0)
        explained = admin("explain", "other-signer")
        self.assertEqual(explained.returncode, 3, explained.stderr)
        self.assertRegex(explained.stdout, r"because +rule signer-name: ")


if __name__ == "__main__":
    unittest.main()
