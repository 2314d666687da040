"""tools/quickstart --kubeconfig on a cluster that is somebody's, with an exec plug-in as credentials."""

import json
import shlex
import subprocess
import unittest

from deployment import install, kube as kubes
from e2e import environment
from localcluster import binaries


def setUpModule():
    global cluster
    cluster = environment.Cluster("user", nodes=1)
    cluster.load_images()


def tearDownModule():
    cluster.down()


def exec_kubeconfig():
    """The administrator's kubeconfig with the client certificate handed out by a program, as clouds do."""
    view = json.loads(cluster.kube.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    user = view["users"][0]["user"]
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {
        "clientCertificateData": install.decode(user["client-certificate-data"]),
        "clientKeyData": install.decode(user["client-key-data"])}}
    answer = cluster.folder / "credential.json"
    answer.write_text(json.dumps(credential), encoding="utf-8")
    view["users"][0]["user"] = {"exec": {"apiVersion": credential["apiVersion"], "command": "cat", "args": [str(answer)],
                                         "interactiveMode": "Never"}}
    path = cluster.folder / "exec.kubeconfig"
    path.write_text(json.dumps(view), encoding="utf-8")
    return path


def quickstart(*flags):
    host, port = cluster.endpoint()
    return subprocess.run([str(binaries.TOOLS / "quickstart"), "--kubeconfig", str(exec_kubeconfig()), "--kubectl",
                           cluster.status["kubectl"], "--api-server", f"{host}:{port}", *flags], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False, timeout=600)


class UserClusterTest(unittest.TestCase):
    """Methods run in the order of their names."""

    def test_1_asks_first(self):
        result = quickstart()
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("nothing was done", result.stderr)
        self.assertIn("quay.io/calico/key-cert-provisioner:", result.stdout)
        self.assertIsNone(cluster.kube.get("/api/v1/namespaces/csr-signer"))

    def test_2_leaves_another_operator_alone(self):
        cluster.kube.kubectl("apply", "--server-side", "--field-manager=tigera", "-f", "-", text=install.manifest("crds"))
        install.wait_for_crds(cluster.kube)
        cluster.kube.apply(install.INSTALLATION, install.installation({}), manager="somebody")
        result = quickstart("--yes")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("Installation default (managed by somebody)", result.stdout)
        self.assertIn("installations.operator.tigera.io (managed by ", result.stdout)
        self.assertIn("--take-over", result.stderr)
        self.assertIsNone(cluster.kube.get("/api/v1/namespaces/csr-signer"))
        cluster.kube.kubectl("delete", "-f", "-", text=install.manifest("crds"))

    def test_3_does_the_main_job_and_can_be_removed(self):
        result = quickstart("--yes")
        self.assertEqual(result.returncode, 0, result.stderr[-2000:])
        self.assertIn("Approved,Issued", result.stdout)
        self.assertIn("Installation applied to Available", result.stdout)
        removal = result.stdout.split("Remove it with:\n")[1].splitlines()[0].strip()
        for command in removal.split(" && "):
            words = shlex.split(command)
            self.assertEqual(words[0], "kubectl")
            self.assertIn(words[3], ("delete", "wait"))
            cluster.kube.kubectl(*words[3:])
        rules = "/apis/rbac.authorization.k8s.io/v1/clusterroles/"
        paths = [rules + name for name in ("calico-node", "calico-operator", "csr-signer")]
        paths += [f"/api/v1/namespaces/{name}" for name in ("calico-system", "tigera-operator", "csr-signer")]
        left = lambda: list(filter(None, map(cluster.kube.get, paths)))
        kubes.wait_for("everything removed", lambda: not left(), 120,
                       explain=lambda: str([(item["metadata"], item.get("status")) for item in left()]))


if __name__ == "__main__":
    unittest.main()
