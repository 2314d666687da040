"""tools/quickstart: from a fresh machine to calico-node and calico-typha with keys that never left their pods."""

import argparse
import json
import pathlib
import subprocess
import sys
import time

from deployment import build, install, kube as kubes
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


def load_images(name):
    files = sorted(map(str, [*install.DIST.glob("images/*.tar"), *install.DIST.glob("standins/*.tar")]))
    _tool("cluster", "load-image", "--name", name, *files, capture=True)


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
        return f"pods ready {ready}/{len(pods)}, certificates {issued}/{len(csrs)}, {', '.join(true) or 'no status yet'} {message[:110]}"


def _apply_installation(kube, ca):
    started = time.monotonic()
    kube.apply(install.INSTALLATION, install.installation({"certificateManagement": install.certificate_management(ca)}))
    kubes.wait_for("TigeraStatus calico Available", PodProgress(kube), 300, explain=lambda: install.explain(kube))
    return time.monotonic() - started


def _show(kube, seconds, how):
    for words in (("get", "csr"), ("get", "tigerastatus"), ("get", "pods", "-n", "calico-system", "-o", "wide")):
        print(f"\n$ kubectl {' '.join(words)}\n{kube.kubectl(*words).rstrip()}")
    print(f"\nInstallation applied to Available: {seconds:.1f} s\n\n{how}")


def _local_hints(status):
    kubectl = f"{status['kubectl']} --kubeconfig {status['kubeconfig']}"
    return f"""Look around:
  alias k='{kubectl}'
  k describe installation default
  k get events -A --sort-by=.lastTimestamp
  k -n calico-system get pod -o wide
  k -n tigera-operator logs deploy/tigera-operator
  k -n csr-signer logs deploy/csr-signer
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
    _show(kube, _apply_installation(kube, ca), _local_hints(status))
    return 0


PLAN = """On the cluster {server} this will
  - apply the CRDs installations and tigerastatuses (group operator.tigera.io),
  - make the namespaces tigera-operator and csr-signer with our operator and signer, their service accounts and roles,
  - store the CA {ca} with its key as Secret csr-signer/csr-signer-ca,
  - apply Installation default with certificateManagement (signer {signer}); the operator then makes the
    namespace calico-system with calico-node on every node and calico-typha.
It needs these images there first, pushed from dist/images/*.tar:
{images}
Nothing else is touched. Remove it with: kubectl delete installation default; kubectl delete ns tigera-operator csr-signer"""


def run_on(options):
    build.build(options.registry)
    kube = kubes.Kube(options.kubeconfig, options.kubectl)
    ca, key = install.make_ca(install.DIST / "ca" / "cluster")
    names = [build.own_image(options.registry, name) for name in ("calico-operator", "csr-signer")]
    names.append(build.release_images()["key-cert-provisioner"])
    print(PLAN.format(server=kube.server, ca=ca, signer=install.SIGNER_NAME, images="\n".join(f"  {n}" for n in names)))
    if not options.yes:
        if not sys.stdin.isatty() or input("Continue? [y/N] ").strip().lower() not in ("y", "yes"):
            print("nothing was done; --yes goes on without asking")
            return 1
    deploy(kube, ca, key, None)
    _show(kube, _apply_installation(kube, ca), f"Look around: kubectl --kubeconfig {options.kubeconfig} describe installation")
    return 0


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="tools/quickstart",
        description="Installs what is needed, builds, brings up a real two-node Kubernetes and runs Calico's TLS on it.",
        epilog="examples: tools/quickstart    tools/quickstart --kubeconfig ~/.kube/config --registry registry.example.com/calico")
    parser.add_argument("--name", default=CLUSTER, help="name of the local cluster (default %(default)s)")
    parser.add_argument("--kubernetes", choices=binaries.kubernetes_releases(), help="release of the local cluster")
    parser.add_argument("--kubeconfig", type=pathlib.Path, help="use this cluster instead of a local one")
    parser.add_argument("--kubectl", default="kubectl", help="kubectl to use with --kubeconfig")
    parser.add_argument("--registry", default="localhost/calico-operator", help="put before the names of our own images")
    parser.add_argument("--yes", action="store_true", help="with --kubeconfig: do not ask")
    options = parser.parse_args(arguments)
    try:
        return run_on(options) if options.kubeconfig else run_local(options)
    except (ClusterError, kubes.KubeError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
