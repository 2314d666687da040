"""What the tests of upgrades stand on: an operator of a chosen Calico release as a process, and a watcher that counts what
is unavailable while workloads roll."""

import json
import threading
import time

from deployment import install, kube as kubes, quickstart
from e2e import environment

NAMESPACE = "calico-system"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
NODE, CSI = f"{APPS}/daemonsets/calico-node", f"{APPS}/daemonsets/csi-node-driver"
TYPHA, CONTROLLERS = f"{APPS}/deployments/calico-typha", f"{APPS}/deployments/calico-kube-controllers"
WORKLOADS = (NODE, CSI, TYPHA, CONTROLLERS)
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/calico-operator"
VERSIONS = {"v3.27": "v3.27.5", "v3.32": "v3.32.1", "v3.33": "v3.33.1"}
POOL = "/apis/crd.projectcalico.org/v1/ippools/default-ipv4-ippool"
FELIX = "/apis/crd.projectcalico.org/v1/felixconfigurations/default"


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions") or [])


def operator_documents():
    """operator.yaml without the Deployment: the operator is a process of this machine."""
    return "\n---\n".join(document for document in install.manifest("operator").split("\n---\n")
                          if "\nkind: Deployment\n" not in f"\n{document}\n")


class LiveCluster(environment.Cluster):
    """Three nodes, for which there are two Typhas, with stand-ins for the images of every release; signer and operator are
    processes."""

    def __init__(self, name):
        super().__init__(name, nodes=3)
        for release in VERSIONS:
            quickstart.load_images(name, release)
        install.apply_manifests(self.kube, "crds")
        install.wait_for_crds(self.kube)
        for namespace in ("tigera-operator", "csr-signer"):
            install.namespace(self.kube, namespace)
        install.api_endpoint(self.kube, *self.endpoint())
        self.apply_operator_rights()
        self.kube.kubectl("apply", "--server-side", "-f", "-", text="\n---\n".join(
            document for document in install.manifest("signer").split("\n---\n") if "\nkind: Deployment\n" not in f"\n{document}\n"))
        self.start_signer("--leader-elect=false")
        self.operator = None

    def apply_operator_rights(self):
        self.kube.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=quickstart", "-f", "-",
                          text=operator_documents())

    def run_operator(self, release, *flags, program=None):
        """Takes the place of the one that runs."""
        if self.operator is not None:
            self.operator.kill()
        self.operator = self.start_operator("--leader-elect=false", "--manage-crds", f"--release={release}", *flags,
                                            label=f"operator-{release}", program=program)
        return self.operator

    def apply_installation(self):
        self.kube.apply(install.INSTALLATION, install.installation(
            {"certificateManagement": install.certificate_management(self.ca)}))

    def status_version(self):
        return (self.kube.get(install.INSTALLATION) or {}).get("status", {}).get("calicoVersion")

    def wait_complete(self, release, timeout=240):
        kubes.wait_for(f"Calico {VERSIONS[release]} complete", lambda: self.is_complete(release), timeout,
                       explain=lambda: f"{install.explain(self.kube)}\n{self.operator.text()[-1500:]}")

    def is_complete(self, release):
        try:
            return self.status_version() == VERSIONS[release] and install.is_available(self.kube)
        except (OSError, kubes.KubeError):
            return False  # the API server is being restarted

    def generations(self):
        return {path.rsplit("/", 1)[1]: self.kube.get(path)["metadata"]["generation"] for path in WORKLOADS}

    def pod_uids(self):
        return sorted(pod["metadata"]["uid"] for pod in self.kube.items(PODS))

    def message(self, kind):
        condition = install.conditions(self.kube).get(kind, {})
        return condition.get("message", "") if condition.get("status") == "True" else ""

    def refused_clients(self):
        """What the running Typhas have said about peers that they did not take."""
        return [line for pod in self.kube.items(f"{PODS}?labelSelector=k8s-app%3Dcalico-typha")
                for line in self.kube.kubectl("logs", "-n", NAMESPACE, pod["metadata"]["name"], check=False).splitlines()
                if line.startswith("refused client")]


class RollWatch:
    """Looks several times a second, from a thread of its own, until the block ends, and once more then; what could not be
    asked for (the API server restarts) is passed over."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples = 0
        self.most_unavailable = {"calico-node": 0, "csi-node-driver": 0}
        self.least_ready_typhas = None
        self.versions = []   # of Installation.status.calicoVersion, each once, in this order
        self.messages = set()  # of Progressing
        self.early = []      # when the status named a version before its pods ran

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, error, *_):
        self._end.set()
        self._thread.join(30)
        if error is None:
            self._look()  # at what it has come to

    def _run(self):
        while not self._end.wait(0.3):
            try:
                self._look()
            except (OSError, kubes.KubeError, json.JSONDecodeError):
                continue

    def _look(self):
        kube = self._cluster.kube
        nodes = len(kube.items("/api/v1/nodes"))
        version = self._cluster.status_version()
        pods = kube.items(PODS)
        of = lambda app: [pod for pod in pods if pod["metadata"].get("labels", {}).get("k8s-app") == app]
        for app, most in self.most_unavailable.items():
            served = {pod["spec"].get("nodeName") for pod in of(app) if is_ready(pod) and not pod["metadata"].get("deletionTimestamp")}
            self.most_unavailable[app] = max(most, nodes - len(served))
        ready = sum(is_ready(pod) for pod in of("calico-typha"))
        self.least_ready_typhas = ready if self.least_ready_typhas is None else min(self.least_ready_typhas, ready)
        if version and version not in self.versions:
            self.versions.append(version)
            old = [pod["metadata"]["name"] for pod in of("calico-node")
                   if not pod["spec"]["containers"][0]["image"].endswith(":" + version)]
            if old and len(self.versions) > 1:
                self.early.append((version, old))
        self.messages.add(self._cluster.message("Progressing").split("\n")[0])
        self.samples += 1
