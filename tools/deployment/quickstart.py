"""tools/quickstart: from a fresh machine to calico-node and calico-typha with keys that never left their pods."""

import argparse
import json
import pathlib
import subprocess
import sys
import time

from deployment import build, install, kube as kubes, user_cluster
from localcluster import binaries, progress
from localcluster.errors import ClusterError

CLUSTER = "quickstart"


def _tool(*words, capture=False):
    result = subprocess.run([str(binaries.TOOLS / words[0]), *words[1:]], check=False, text=True,
                            stdout=subprocess.PIPE if capture else None)
    if result.returncode != 0:
        raise ClusterError(f"run tools/{' '.join(words)}: it failed", "its own message is above")
    return result.stdout


def local_cluster(name, kubernetes=None):
    """Brings up the cluster; its status as tools/cluster prints it."""
    _tool("cluster", "up", "--name", name, *(["--kubernetes", kubernetes] if kubernetes else []))
    return json.loads(_tool("cluster", "status", "--name", name, "-o", "json", capture=True))


def load_images(name, release=None):
    """Ours, and stand-ins for those of a Calico release (absent: the default one)."""
    own = install.DIST.glob("images/*.tar")
    _tool("cluster", "load-image", "--name", name, *map(str, [*sorted(own), *build.write_standins(release)]), capture=True)


def deploy(kube, ca, key, endpoint):
    """CRDs, operator and signer; `endpoint` is (host, port) of the API server or None with a kube-proxy."""
    install.apply_manifests(kube, "crds")
    install.wait_for_crds(kube)
    for namespace in ("tigera-operator", "csr-signer"):
        install.namespace(kube, namespace)
    if endpoint:
        install.api_endpoint(kube, *endpoint)
    install.ca_secret(kube, ca, key)
    install.apply_manifests(kube, "operator", "signer")


class PodProgress:
    """Prints one line whenever the state of the pods or the status changes."""

    def __init__(self, kube):
        self._kube, self._last, self._started = kube, None, time.monotonic()

    def __call__(self):
        line = self._line()
        if line != self._last:
            progress.say(f"  {time.monotonic() - self._started:5.1f} s  {line}")
            self._last = line
        return install.is_available(self._kube)

    def _line(self):
        pods = self._kube.items("/api/v1/namespaces/calico-system/pods")
        csrs = self._kube.items(install.CSRS)
        issued = sum(1 for csr in csrs if csr.get("status", {}).get("certificate"))
        ready = sum(1 for pod in pods if any(c["type"] == "Ready" and c["status"] == "True"
                                             for c in pod["status"].get("conditions", [])))
        found = install.conditions(self._kube)
        true = [kind for kind, c in found.items() if c["status"] == "True"]
        message = next((found[k].get("message", "") for k in ("Degraded", "Progressing") if k in true), "")
        return f"pods ready {ready}/{len(pods)}, certificates {issued}/{len(csrs)}, {', '.join(true) or 'no status yet'} {message.splitlines()[0][:110] if message else ''}"


def main_job(kube, spec, hints, timeout=300):
    """Applies the Installation, waits, and shows what came of it."""
    started = time.monotonic()
    kube.apply(install.INSTALLATION, install.installation(spec))
    kubes.wait_for("TigeraStatus calico Available", PodProgress(kube), timeout, explain=lambda: install.explain(kube))
    seconds = time.monotonic() - started
    for words in (("get", "csr"), ("get", "tigerastatus"), ("get", "pods", "-n", "calico-system", "-o", "wide")):
        print(f"\n$ kubectl {' '.join(words)}\n{kube.kubectl(*words).rstrip()}")
    print(f"\nInstallation applied to Available: {seconds:.1f} s\n\n{hints}")


def _local_hints(status):
    kubectl = f"{status['kubectl']} --kubeconfig {status['kubeconfig']}"
    return f"""Look around:
  alias k='{kubectl}'
  k describe installation default
  k get events -A --sort-by=.lastTimestamp
  k -n calico-system get pod -o wide
  k -n tigera-operator logs deploy/tigera-operator
  k -n csr-signer logs -l k8s-app=csr-signer --prefix
Remove it:
  tools/cluster down --name {status['name']}"""


def run_local(options):
    build.build(options.registry)
    status = local_cluster(options.name, options.kubernetes)
    with progress.step("load images"):
        load_images(options.name)
    kube = kubes.Kube(status["kubeconfig"], status["kubectl"])
    ca, key = install.make_ca(install.DIST / "ca" / options.name)
    with progress.step("deploy CRDs, operator and signer"):
        deploy(kube, ca, key, (status["apiServer"]["host"], status["apiServer"]["port"]))
    main_job(kube, {"certificateManagement": install.certificate_management(ca)}, _local_hints(status))
    return 0


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="tools/quickstart",
        description="Installs what is needed, builds, brings up a real two-node Kubernetes and runs Calico's TLS on it.",
        epilog="examples: tools/quickstart    tools/quickstart --kubeconfig ~/.kube/config --registry registry.example.com/calico")
    parser.add_argument("--name", default=CLUSTER, help="name of the local cluster (default %(default)s)")
    parser.add_argument("--kubernetes", choices=binaries.kubernetes_releases(), help="release of the local cluster")
    parser.add_argument("--kubeconfig", type=pathlib.Path, help="use this cluster instead of a local one")
    parser.add_argument("--kubectl", help="kubectl to use with --kubeconfig (default: that of PATH, else the one built here)")
    parser.add_argument("--registry", default="localhost/calico-operator", help="put before the names of our own images")
    parser.add_argument("--calico-registry", help="with --kubeconfig: registry of Calico's images, such as registry.example.com/")
    parser.add_argument("--calico-image-path", help="with --kubeconfig: path of Calico's images in that registry (default calico)")
    parser.add_argument("--api-server", metavar="HOST:PORT", help="with --kubeconfig: its address, where there is no kube-proxy")
    parser.add_argument("--take-over", action="store_true", help="with --kubeconfig: apply over what another operator installed")
    parser.add_argument("--yes", action="store_true", help="with --kubeconfig: do not ask")
    options = parser.parse_args(arguments)
    try:
        return user_cluster.run(options, deploy, main_job) if options.kubeconfig else run_local(options)
    except (ClusterError, kubes.KubeError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
