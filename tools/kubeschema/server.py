"""Reads the model of a server: its OpenAPI by requests, its pointers from the Go types that it is built from."""

import contextlib
import json
import pathlib
import subprocess
import uuid

from deployment import kube as kubes, user_cluster
from kubeschema import document, tables
from localcluster import binaries, golang
from localcluster.errors import ClusterError

_PROGRAM = pathlib.Path(__file__).with_name("pointers.go")
_DEFINITION = binaries.TOOLS.parent / "crds" / "operator.tigera.io_tigerastatuses.yaml"


def version(kube):
    """The server's version, such as 1.37.2."""
    return kube.request("GET", "/version")["gitVersion"].removeprefix("v").partition("-")[0].partition("+")[0]


def documents(kube):
    """The OpenAPI documents of every group that tables.KINDS is of and that the server has."""
    paths = kube.request("GET", "/openapi/v3")["paths"]
    wanted = sorted({f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"
                     for api_version, _ in tables.KINDS})
    return [kube.request("GET", paths[path]["serverRelativeURL"]) for path in wanted if path in paths]


def pointers(release):
    """What pointers.go prints for a release of tools/kubernetes; None when there is no such release."""
    if release not in binaries.kubernetes_releases():
        return None
    module = binaries.TOOLS / "kubernetes" / release
    go = golang.find((module / "go.mod").read_text(encoding="utf-8"))
    result = subprocess.run([str(go), "run", "-trimpath", str(_PROGRAM)], cwd=module, capture_output=True, text=True,
                            check=False, env=golang.environment(CGO_ENABLED="0", GOFLAGS="-mod=readonly"))
    if result.returncode != 0:
        raise ClusterError(f"run {_PROGRAM.name} for Kubernetes {release}: {result.stderr.strip()[-800:]}",
                           "run tools/setup, and check the network and GOPROXY")
    return json.loads(result.stdout)


def model(kube):
    """(model, version, whether pointers are known) of a server."""
    found = version(kube)
    known = pointers(found.rpartition(".")[0])
    return document.model(documents(kube), known), found, known is not None


@contextlib.contextmanager
def of_kubeconfig(kubeconfig, kubectl=None):
    """A server that is there; only read, through kubectl, which knows every kind of credentials."""
    yield user_cluster.KubectlKube(kubeconfig, user_cluster.kubectl_program(kubectl))


@contextlib.contextmanager
def of_our_own(release):
    """etcd and kube-apiserver of our own, gone afterwards; it knows TigeraStatus."""
    name = f"schema-{uuid.uuid4().hex[:8]}"
    try:
        _cluster("up", name, "--control-plane-only", *(["--kubernetes", release] if release else []))
        status = json.loads(_cluster("status", name, "-o", "json"))
        kube = kubes.Kube(status["kubeconfig"], status["kubectl"])
        kube.kubectl("apply", "--server-side", "-f", str(_DEFINITION))
        kubes.wait_for("TigeraStatus in the OpenAPI", lambda: knows_tigera_status(kube), 60)
        yield kube
    finally:
        _cluster("down", name)


def knows_tigera_status(kube):
    """Whether the server's OpenAPI has it: it comes some time after the definition."""
    path = kube.request("GET", "/openapi/v3")["paths"].get("apis/operator.tigera.io/v1")
    return path and ".TigeraStatus\"" in json.dumps(kube.request("GET", path["serverRelativeURL"]))


def _cluster(command, name, *words):
    result = subprocess.run([str(binaries.TOOLS / "cluster"), command, "--name", name, *words], stdout=subprocess.PIPE,
                            text=True, check=False)
    if result.returncode != 0:
        raise ClusterError(f"tools/cluster {command}: it failed", "mend what it says above")
    return result.stdout
