"""The main job on a real cluster of two nodes, and everything that happens to it there."""

import base64
import random
import subprocess
import time
import unittest

from deployment import build, install, kube as kubes
from e2e import environment
from e2e.environment import cluster_command, openssl
from localcluster import image_archive


SIGNER = "/apis/apps/v1/namespaces/csr-signer/deployments/csr-signer"
OPERATOR = "/apis/apps/v1/namespaces/tigera-operator/deployments/tigera-operator"

# In a node, whose processes are its own; a machine that has only what is installed here has no pkill.
KILL_OPERATOR = """for process in /proc/[0-9]*; do
  case "$(tr '\\0' ' ' < $process/cmdline)" in "/usr/bin/calico-operator "*) kill -9 "${process#/proc/}" ;; esac
done 2> /dev/null; true"""


def setUpModule():
    global cluster
    cluster = environment.Cluster("e2e", nodes=2)
    cluster.load_images()
    cluster.deploy()


def tearDownModule():
    cluster.down()


def pods(app):
    return cluster.kube.items(f"/api/v1/namespaces/calico-system/pods?labelSelector=k8s-app%3D{app}")


def live_pods(app):
    return [pod for pod in pods(app) if "deletionTimestamp" not in pod["metadata"]]


def exec_on(node, *words):
    return cluster_command("exec", "--name", cluster.name, node, "--", *words)


def uids(app):
    return sorted(pod["metadata"]["uid"] for pod in live_pods(app))


def apply(**management):
    spec = {"certificateManagement": install.certificate_management(cluster.ca, **management)}
    return cluster.kube.apply(install.INSTALLATION, install.installation(spec))


def scale_signer(replicas):
    cluster.kube.merge(SIGNER, {"spec": {"replicas": replicas}})
    kubes.wait_for(f"{replicas} signer pods", lambda: replicas == len(
        cluster.kube.items("/api/v1/namespaces/csr-signer/pods")), 60)


def restart_pods(*apps):
    for app in apps:
        for pod in live_pods(app):
            cluster.kube.delete(f"/api/v1/namespaces/calico-system/pods/{pod['metadata']['name']}")


def wait_rolled(deployment):
    """Waits until the pods of a Deployment are of its newest template and the old ones are gone."""
    def rolled():
        found = cluster.kube.get(deployment)
        status = found.get("status", {})
        return status.get("observedGeneration") == found["metadata"]["generation"] and \
            status.get("updatedReplicas") == status.get("readyReplicas") == status.get("replicas") == found["spec"]["replicas"]
    kubes.wait_for(f"{deployment.rpartition('/')[2]} to roll", rolled, 90)


class MainJobTest(unittest.TestCase):
    """Methods run in the order of their names; each starts from an available installation."""

    def test_01_installation_becomes_available(self):
        apply()
        install.wait_available(cluster.kube)
        csrs = cluster.kube.items(install.CSRS)
        names = {environment.csr_name(pod) for app in ("calico-node", "calico-typha") for pod in live_pods(app)}
        self.assertEqual(len(names), 3)
        self.assertEqual({csr["metadata"]["name"] for csr in csrs if csr["spec"]["signerName"] == install.SIGNER_NAME}, names)
        for csr in csrs:
            self.assertIn("Approved", [c["type"] for c in csr["status"]["conditions"]])
            self.assertTrue(csr["status"]["certificate"])
        daemonset = cluster.kube.get("/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node")
        self.assertEqual(daemonset["metadata"]["generation"], 1, "calico-node was rendered twice")
        for node in cluster.kube.items("/api/v1/nodes"):
            ready = next(c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready")
            self.assertEqual(ready, "True", node["metadata"]["name"])
        printed = cluster.kube.kubectl("get", "tigerastatus")
        self.assertRegex(printed, r"NAME\s+AVAILABLE\s+PROGRESSING\s+DEGRADED\s+SINCE")
        self.assertRegex(printed, r"calico\s+True\s+False\s+False")

    def test_02_typha_serves_the_right_certificate_and_refuses_strangers(self):
        typha = live_pods("calico-typha")[0]
        target = f"{typha['status']['podIP']}:5473"
        _, served = self._connect(target)
        self.assertIn("CN = typha-server", served)
        self.assertIn("Verify return code: 0 (ok)", served)
        _, text = openssl("x509", "-noout", "-text", text=served)
        for wanted in ("CN = typha-server", "DNS:typha-server", f"IP Address:{typha['status']['podIP']}",
                       "TLS Web Server Authentication", "CA:FALSE"):
            self.assertIn(wanted, text)
        self.assertNotIn("TLS Web Client Authentication", text, "typha is a server only")
        log = lambda: cluster.kube.kubectl("-n", "calico-system", "logs", typha["metadata"]["name"])
        kubes.wait_for("a client without certificate refused", lambda: "refused client" in log(), 10)
        self._leaf("stranger")
        self._connect(target, "-cert", str(cluster.folder / "stranger.crt"), "-key", str(cluster.folder / "stranger.key"))
        kubes.wait_for("a client of another name refused", lambda: "does not have required CN" in log(), 10)
        self.assertIn("accepted client typha-client", log())

    def _connect(self, target, *words):
        result = subprocess.run(["openssl", "s_client", "-connect", target, "-CAfile", str(cluster.ca), *words],
                                input="", capture_output=True, text=True, check=False, timeout=20)
        return result.returncode, result.stdout + result.stderr

    def _leaf(self, name):
        key, request, certificate = (str(cluster.folder / f"{name}.{end}") for end in ("key", "csr", "crt"))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", key, "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", str(cluster.ca), "-CAkey", str(cluster.ca_key), "-CAcreateserial",
                "-days", "1", "-out", certificate)

    def test_03_keys_stay_in_memory_volumes(self):
        for secret in cluster.kube.items("/api/v1/secrets"):
            name = f"{secret['metadata']['namespace']}/{secret['metadata']['name']}"
            for key, value in (secret.get("data") or {}).items():
                if name != "csr-signer/csr-signer-ca":
                    self.assertNotIn(b"PRIVATE KEY", base64.b64decode(value), f"{name} {key}")
        for app, volume in (("calico-node", "node-certs"), ("calico-typha", "typha-certs")):
            for pod in live_pods(app):
                folder = (f"/var/lib/kubelet/pods/{pod['metadata']['uid']}/volumes/kubernetes.io~empty-dir/{volume}")
                node = pod["spec"]["nodeName"]
                self.assertEqual(exec_on(node, "stat", "-f", "-c", "%T", folder).strip(), "tmpfs")
                mode, owner = exec_on(node, "stat", "-L", "-c", "%a %u", folder + "/tls.key").split()
                self.assertEqual(mode, "600")
                self.assertEqual(owner, "10001" if app == "calico-typha" else "0")

    def test_04_change_of_key_algorithm_rolls_both_workloads(self):
        before = uids("calico-node") + uids("calico-typha")
        apply(keyAlgorithm="ECDSAWithCurve256", signatureAlgorithm="ECDSAWithSHA256")
        kubes.wait_for("new pods", lambda: not set(before) & set(uids("calico-node") + uids("calico-typha")), 240,
                       explain=lambda: install.explain(cluster.kube))
        install.wait_available(cluster.kube)
        for app in ("calico-node", "calico-typha"):
            for pod in live_pods(app):
                csr = cluster.kube.get(environment.csr_path(environment.csr_name(pod)))
                _, text = openssl("x509", "-noout", "-text", text=base64.b64decode(csr["status"]["certificate"]).decode())
                self.assertIn("ASN1 OID: prime256v1", text)

    def test_05_without_a_signer_the_status_names_the_waiting_requests(self):
        scale_signer(0)
        restart_pods("calico-node", "calico-typha")
        def waiting():
            progressing = install.conditions(cluster.kube).get("Progressing", {})
            names = [environment.csr_name(p) for app in ("calico-node", "calico-typha") for p in live_pods(app)]
            return len(names) == 3 and progressing.get("status") == "True" and install.SIGNER_NAME in progressing["message"] \
                and all(name in progressing["message"] for name in names)
        kubes.wait_for("Progressing that names every request and the signer", waiting, 60,
                       explain=lambda: install.explain(cluster.kube))
        degraded = lambda: install.conditions(cluster.kube).get("Degraded", {})
        kubes.wait_for("Degraded after two minutes", lambda: degraded().get("status") == "True"
                       and "nobody approves" in degraded().get("message", ""), 170,
                       explain=lambda: install.explain(cluster.kube))
        scale_signer(2)
        install.wait_available(cluster.kube, 400)

    def test_06_a_denial_is_seen_in_the_status_and_at_the_pod(self):
        policy = subprocess.run([environment.BIN / "csr-signer", "--print-policy", "calico"], check=True,
                                capture_output=True, text=True).stdout
        self.assertIn("typha-client", policy)
        original = cluster.kube.get(SIGNER)["spec"]["template"]["spec"]
        self._policy(policy.replace("typha-client", "somebody-else"))
        container = dict(original["containers"][0])
        container["args"] = container["args"] + ["--policy=/policy/policy.yaml"]
        container["volumeMounts"] = container["volumeMounts"] + [{"name": "policy", "mountPath": "/policy"}]
        volumes = original["volumes"] + [{"name": "policy", "configMap": {"name": "policy"}}]
        cluster.kube.merge(SIGNER, {"spec": {"template": {"spec": {"containers": [container], "volumes": volumes}}}})
        wait_rolled(SIGNER)
        restart_pods("calico-node")
        degraded = lambda: install.conditions(cluster.kube).get("Degraded", {})
        kubes.wait_for("Degraded with the rule", lambda: degraded().get("status") == "True"
                       and "common-name" in degraded().get("message", ""), 120, explain=lambda: install.explain(cluster.kube))
        describe = lambda: cluster.kube.kubectl("-n", "calico-system", "describe", "pods", "-l", "k8s-app=calico-node")
        kubes.wait_for("the rule in kubectl describe pod", lambda: "common-name" in describe(), 60)
        self._policy(policy)
        install.wait_available(cluster.kube, 420)
        cluster.kube.merge(SIGNER, {"spec": {"template": {"spec": {
            "containers": original["containers"], "volumes": original["volumes"]}}}})
        wait_rolled(SIGNER)

    def _policy(self, text):
        cluster.kube.apply("/api/v1/namespaces/csr-signer/configmaps/policy", {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "policy", "namespace": "csr-signer"},
            "data": {"policy.yaml": text}})

    def test_07_objects_changed_by_hand_are_put_right(self):
        service = "/api/v1/namespaces/calico-system/services/calico-typha"
        cluster.kube.merge(service, {"metadata": {"annotations": {"mine": "kept"}},
                                     "spec": {"selector": {"k8s-app": "wrong"}}})
        kubes.wait_for("the selector put right", lambda: cluster.kube.get(service)["spec"]["selector"] == {"k8s-app": "calico-typha"}, 15)
        self.assertEqual(cluster.kube.get(service)["metadata"]["annotations"].get("mine"), "kept")
        cluster.kube.merge(service, {"metadata": {"annotations": {"mine": None}}})
        binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/calico-node:csr-creator"
        cluster.kube.delete(binding)
        kubes.wait_for("the binding made again", lambda: cluster.kube.get(binding), 15)
        install.wait_available(cluster.kube)

    def test_08_idle_means_no_writes(self):
        time.sleep(20)  # what earlier tests set off
        since = environment.now_rfc3339()
        time.sleep(120)
        self.assertEqual(cluster.audit_writes(since, (environment.OPERATOR_USER, environment.SIGNER_USER)), [])

    def test_09_restart_of_apiserver_and_etcd(self):
        before = uids("calico-node") + uids("calico-typha")
        for component in ("etcd", "kube-apiserver"):
            cluster.restart(component)
        kubes.wait_for("API server", lambda: cluster.kube.get("/readyz") or True, 60)
        install.wait_available(cluster.kube, 120)
        self.assertEqual(before, uids("calico-node") + uids("calico-typha"))

    def test_10_a_newer_operator_with_equal_rendering_restarts_no_pod(self):
        template = cluster.kube.get(OPERATOR)["spec"]["template"]["spec"]
        data = environment.newer_operator().read_bytes()
        image = f"localhost/calico-operator/calico-operator:v{environment.NEWER_VERSION}"
        archive = cluster.folder / "newer.tar"
        archive.write_bytes(image_archive.archive(image, {"/usr/bin/calico-operator": data}, ["/usr/bin/calico-operator"],
                                                 build.USER))
        cluster_command("load-image", "--name", cluster.name, str(archive))
        before = uids("calico-node") + uids("calico-typha")
        generation = cluster.kube.get("/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node")["metadata"]["generation"]
        container = {**template["containers"][0], "image": image}
        cluster.kube.merge(OPERATOR, {"spec": {"template": {"spec": {"containers": [container]}}}})
        wait_rolled(OPERATOR)
        version = cluster.kube.kubectl("-n", "tigera-operator", "logs", "deploy/tigera-operator")
        self.assertIn(environment.NEWER_VERSION, version)
        # Something must happen for the newer operator to act on, so that silence is not mistaken for agreement.
        role = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/calico-typha:csr-creator"
        cluster.kube.delete(role)
        kubes.wait_for("the newer operator at work", lambda: cluster.kube.get(role), 40)
        install.wait_available(cluster.kube)
        self.assertEqual(before, uids("calico-node") + uids("calico-typha"))
        after = cluster.kube.get("/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node")["metadata"]["generation"]
        self.assertEqual(generation, after)

    def test_11_an_install_interrupted_everywhere_ends_in_the_same_state(self):
        whole = environment.rendered(cluster)
        self.assertGreater(len(whole), 12)
        cluster.kube.delete(install.INSTALLATION)
        kubes.wait_for("calico-system to go", lambda: cluster.kube.get("/api/v1/namespaces/calico-system") is None, 120)
        node = cluster.kube.items("/api/v1/namespaces/tigera-operator/pods")[0]["spec"]["nodeName"]
        kill = lambda: exec_on(node, "sh", "-c", KILL_OPERATOR)
        chance = random.Random(20261123)
        apply(keyAlgorithm="ECDSAWithCurve256", signatureAlgorithm="ECDSAWithSHA256")
        for interruption in (kill, lambda: cluster.restart("etcd"), lambda: cluster.restart("kube-apiserver"), kill):
            time.sleep(chance.uniform(0.05, 0.5))
            interruption()
        kubes.wait_for("the same objects", lambda: environment.rendered(cluster) == whole, 180,
                       explain=lambda: environment.difference(whole, environment.rendered(cluster)))
        install.wait_available(cluster.kube)
        restarts = [status["restartCount"] for pod in cluster.kube.items("/api/v1/namespaces/tigera-operator/pods")
                    for status in pod["status"]["containerStatuses"]]
        self.assertGreaterEqual(sum(restarts), 1, "the operator was not killed")

    def test_12_a_new_ca_in_four_steps_is_never_degraded(self):
        """The procedure of docs/OPERATIONS.md."""
        ca, key = install.make_ca(cluster.folder / "new", "new-ca")
        degraded = []

        def wait(what, check):
            def watched():
                found = install.conditions(cluster.kube).get("Degraded", {})
                if found.get("status") == "True":
                    degraded.append(found["message"])
                return check()
            kubes.wait_for(what, watched, 300, explain=lambda: install.explain(cluster.kube))

        def trust(*files):
            pem = "".join(file.read_text(encoding="utf-8") for file in files)
            before = uids("calico-node") + uids("calico-typha")
            apply(caCert=base64.b64encode(pem.encode()).decode(), keyAlgorithm="ECDSAWithCurve256", signatureAlgorithm="ECDSAWithSHA256")
            cluster.kube.kubectl("wait", "--for=condition=Ready", "--timeout=170s", "installation/default")
            self.assertFalse(set(before) & set(uids("calico-node") + uids("calico-typha")), "the wait ended too early")
            wait("Available", lambda: install.is_available(cluster.kube))

        trust(ca, cluster.ca)
        install.ca_secret(cluster.kube, ca, key)
        said = lambda: "new-ca" in cluster.kube.kubectl("-n", "csr-signer", "logs", "-l", "k8s-app=csr-signer", "--tail=-1")
        wait("the signer to take it up", said)
        before = uids("calico-node") + uids("calico-typha")
        for workload in ("daemonset/calico-node", "deployment/calico-typha"):
            cluster.kube.kubectl("-n", "calico-system", "rollout", "restart", workload)
        wait("new pods", lambda: not set(before) & set(uids("calico-node") + uids("calico-typha")))
        wait("Available", lambda: install.is_available(cluster.kube))
        trust(ca)
        for app in ("calico-node", "calico-typha"):
            for pod in live_pods(app):
                csr = cluster.kube.get(environment.csr_path(environment.csr_name(pod)))
                _, text = openssl("x509", "-noout", "-issuer", text=base64.b64decode(csr["status"]["certificate"]).decode())
                self.assertIn("new-ca", text)
        self.assertEqual(degraded, [])


if __name__ == "__main__":
    unittest.main()
