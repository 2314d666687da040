"""A cluster of nodes that are not there: kube-controller-manager makes the pods, and this plays scheduler and kubelet for them."""

import json
import pathlib
import time

from deployment import install, kube as kubes
from e2e import environment

PODS = "/api/v1/namespaces/calico-system/pods"
MANAGER = "kube-controller-manager"
# No kubelet reports here, so that nobody may conclude from it that the nodes are dead; and by default it makes 20 pods a second.
MANAGER_FLAGS = ("--controllers=*,-node-lifecycle-controller", "--kube-api-qps=500", "--kube-api-burst=1000")
PAGE = 500
MERGE_PATCH = "application/merge-patch+json"


def node(number):
    address = f"10.{64 + number // 65536}.{number // 256 % 256}.{number % 256}"
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{number}", "labels": {
        "kubernetes.io/os": "linux", "kubernetes.io/hostname": f"node-{number}"}},
            "status": {"addresses": [{"type": "InternalIP", "address": address}],
                       "conditions": [{"type": "Ready", "status": "True"}]}}


def start_manager(cluster):
    """The cluster's own command with our flags, in place of the cluster's own process."""
    components = json.loads(environment.cluster_command("status", "--name", cluster.name, "-o", "json"))["components"]
    pid = next(entry["pid"] for entry in components if entry["component"] == MANAGER)
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
    environment.cluster_command("stop", "--name", cluster.name, MANAGER)
    return cluster.start("manager", [*words, *MANAGER_FLAGS])


def _pages(kube):
    """Every pod of calico-system, a page at a time."""
    more = ""
    while True:
        answer = kube.request("GET", f"{PODS}?limit={PAGE}&continue={more}", timeout=60)
        yield from answer["items"]
        more = answer["metadata"].get("continue", "")
        if not more:
            return


def _node_of(pod, spare):
    """Where the DaemonSet controller wants the pod; any node for a pod of the Deployment."""
    affinity = pod["spec"].get("affinity", {}).get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution", {})
    for term in affinity.get("nodeSelectorTerms", []):
        for field in term.get("matchFields", []):
            return field["values"][0]
    return f"node-{next(spare)}"


def _running(pod, number):
    """The status that a kubelet reports when every container runs."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    done = lambda c: {"name": c["name"], "image": c["image"], "imageID": "x", "ready": True, "restartCount": 0,
                      "state": {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}}
    runs = lambda c: {"name": c["name"], "image": c["image"], "imageID": "x", "ready": True, "started": True, "restartCount": 0,
                      "state": {"running": {"startedAt": now}}}
    address = f"10.{64 + number // 65536}.{number // 256 % 256}.{number % 256}"
    return {"status": {"phase": "Running", "startTime": now, "podIP": address, "podIPs": [{"ip": address}],
                       "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now}
                                      for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")],
                       "initContainerStatuses": [done(c) for c in pod["spec"].get("initContainers", [])],
                       "containerStatuses": [runs(c) for c in pod["spec"]["containers"]]}}


def bring_up_pods(kube, done, spare):
    """Plays scheduler and kubelet for every pod that is not in `done` (UIDs); how many there are. `spare`: numbers of nodes."""
    fresh = [pod for pod in _pages(kube) if pod["metadata"]["uid"] not in done]
    bindings = []
    for pod in fresh:
        if pod["spec"].get("nodeName"):
            continue
        name = pod["metadata"]["name"]
        bindings.append(("POST", f"{PODS}/{name}/binding", {
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
            "target": {"apiVersion": "v1", "kind": "Node", "name": _node_of(pod, spare)}}, "application/json"))
    kube.request_many(bindings)
    kube.request_many([("PATCH", f"{PODS}/{pod['metadata']['name']}/status", _running(pod, len(done) + number), MERGE_PATCH)
                       for number, pod in enumerate(fresh)])
    done.update(pod["metadata"]["uid"] for pod in fresh)
    return len(done)


def wait_for_available(kube, done, spare):
    """Until TigeraStatus calico is Available, bringing up what pods come meanwhile."""
    kubes.wait_for("TigeraStatus calico Available", lambda: bring_up_pods(kube, done, spare) and install.is_available(kube), 300,
                   interval=2, explain=lambda: str(install.conditions(kube))[-800:])
