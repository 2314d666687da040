"""Figures of calico-operator in a large cluster: 5,000 nodes, and the pods that kube-controller-manager makes for them."""

import json
import os
import pathlib
import time

from deployment import install, kube as kubes
from e2e import environment

NODES = 5_000
PODS = "/api/v1/namespaces/calico-system/pods"
MANAGER = "kube-controller-manager"
# No kubelet reports here, so that nobody may conclude from it that the nodes are dead; and by default it makes 20 pods a second.
MANAGER_FLAGS = ("--controllers=*,-node-lifecycle-controller", "--kube-api-qps=500", "--kube-api-burst=1000")
PAGE = 500
MERGE_PATCH = "application/merge-patch+json"


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _node(number):
    address = f"10.{64 + number // 65536}.{number // 256 % 256}.{number % 256}"
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{number}", "labels": {
        "kubernetes.io/os": "linux", "kubernetes.io/hostname": f"node-{number}"}},
            "status": {"addresses": [{"type": "InternalIP", "address": address}],
                       "conditions": [{"type": "Ready", "status": "True"}]}}


def _start_manager(cluster):
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
    return f"node-{next(spare) % NODES}"


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


def _bring_up_pods(kube, done, spare):
    """Plays scheduler and kubelet for every pod that is new; how many there are."""
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


def run(cluster, table, idle_seconds):
    kube = cluster.kube
    manager = _start_manager(cluster)
    kube.create_many("/api/v1/nodes", (_node(number) for number in range(NODES)))
    kube.apply(install.INSTALLATION, install.installation({"certificateManagement": install.certificate_management(cluster.ca)}))
    manager_before = cpu_seconds(manager.popen.pid)
    operator = cluster.start_operator()
    done, spare = set(), iter(range(1_000_000))
    kubes.wait_for("a pod on every node", lambda: _bring_up_pods(kube, done, spare) > NODES, 900, interval=2)
    kubes.wait_for("TigeraStatus calico Available", lambda: _bring_up_pods(kube, done, spare) and install.is_available(kube), 300,
                   interval=2, explain=lambda: str(install.conditions(kube))[-800:])
    used, peer = cpu_seconds(operator.popen.pid), cpu_seconds(manager.popen.pid) - manager_before
    pods = len(done)
    table.add("5,000 nodes: CPU until Available", f"{used:.1f} s", MANAGER + "'s", used <= peer, f"{peer:.1f} s ({MANAGER})",
              f"{pods:,} pods, ratio {used / peer:.2f}")
    time.sleep(10)
    resident, before = operator.rss_mib(), cpu_seconds(operator.popen.pid)
    since = environment.now_rfc3339()
    time.sleep(idle_seconds)
    idle = 100 * (cpu_seconds(operator.popen.pid) - before) / idle_seconds
    writes = cluster.audit_writes(since, (environment.OPERATOR_USER,))
    table.add("5,000 nodes: idle CPU", f"{idle:.2f} % of a core", "1 %", idle <= 1, note=f"{idle_seconds} s, {len(writes)} writes")
    table.add("5,000 nodes: operator resident", f"{resident:.1f} MiB", "16 MiB", resident <= 16, note=f"{pods:,} pods of calico-system")
    operator.terminate()
    manager.terminate()
