"""Figures of calico-operator: memory, start, restart, requests."""

import datetime
import itertools
import statistics
import time

from benchmarks import played_nodes
from deployment import install, kube as kubes
from e2e import environment

DAEMONSET = "/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node"
PODS = 10_000
NODES = 3
CHANGES = 5


def _pod(number):
    """Of a size like real ones."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{number}", "namespace": "crowd"},
            "spec": {"schedulerName": "nobody", "containers": [
                {"name": "c", "image": "registry.example.com/team/image:v1.2.3",
                 "env": [{"name": f"VARIABLE_{i}", "value": "x" * 20} for i in range(20)]}]}}


def make_pods(cluster, count):
    """Pods in a namespace that is none of ours."""
    install.namespace(cluster.kube, "crowd")
    cluster.kube.apply("/api/v1/namespaces/crowd/serviceaccounts/default", {
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "crowd"}})
    cluster.kube.create_many("/api/v1/namespaces/crowd/pods", (_pod(number) for number in range(count)))


def _timed(check, timeout=30):
    started = time.monotonic()
    kubes.wait_for("a figure", check, timeout, interval=0.01)
    return time.monotonic() - started


def _at(event):
    """Seconds since the epoch of the answer to an audited request."""
    return datetime.datetime.fromisoformat(event["stageTimestamp"].replace("Z", "+00:00")).timestamp()


def _to_all_objects(cluster, since, started):
    """(seconds from the start to the answer to the last of the objects that were made at once, their number)."""
    made = [event for event in cluster.audit_events(since)
            if event["user"]["username"] == environment.OPERATOR_USER and event["verb"] == "patch"
            and event["responseStatus"]["code"] == 201 and event["objectRef"]["resource"] not in ("events", "tigerastatuses")]
    return max(map(_at, made)) - started, len(made)


def _to_applied(cluster, spec):
    """Seconds from the answer to a change of the Installation to that to the changed DaemonSet."""
    since = environment.now_rfc3339()
    before = cluster.kube.get(DAEMONSET)["metadata"]["generation"]
    cluster.kube.apply(install.INSTALLATION, install.installation(spec))
    _timed(lambda: cluster.kube.get(DAEMONSET)["metadata"]["generation"] != before)
    time.sleep(0.5)
    patched = [(event["objectRef"]["resource"], _at(event)) for event in cluster.audit_events(since) if event["verb"] == "patch"]
    asked = next(at for resource, at in patched if resource == "installations")
    return next(at for resource, at in patched if resource == "daemonsets" and at > asked) - asked


def run(cluster, table, idle_seconds):
    kube = cluster.kube
    manager = played_nodes.start_manager(cluster)
    kube.create_many("/api/v1/nodes", map(played_nodes.node, range(NODES)))
    kube.apply(install.INSTALLATION, install.installation({"certificateManagement": install.certificate_management(cluster.ca)}))
    time.sleep(3)  # the API server holds creations back for 2 s after a definition was established
    since = environment.now_rfc3339()
    started = time.time()
    operator = cluster.start_operator()
    to_daemonset = _timed(lambda: kube.get(DAEMONSET))
    to_status = to_daemonset + _timed(lambda: len(install.conditions(kube)) == 3)
    table.add("start to DaemonSet", f"{to_daemonset:.2f} s", "0.5 s", to_daemonset <= 0.5)
    table.add("start to TigeraStatus with conditions", f"{to_status:.2f} s", "1 s", to_status <= 1)
    time.sleep(60)
    to_all, objects = _to_all_objects(cluster, since, started)
    table.add("start to all objects", f"{to_all:.2f} s", "1.5 s", to_all <= 1.5, note=f"{objects} objects")
    requests = [e for e in cluster.audit_events(since) if e["user"]["username"] == environment.OPERATOR_USER]
    table.add("requests in the first 60 s", str(len(requests)), "200", len(requests) <= 200)
    generation = kube.get(DAEMONSET)["metadata"]["generation"]
    table.add("DaemonSet generation after install", str(generation), "1", generation == 1)
    resident = operator.rss_mib()
    table.add("operator resident, 3 nodes", f"{resident:.1f} MiB", "16 MiB", resident <= 16)
    played_nodes.wait_for_available(kube, set(), itertools.cycle(range(NODES)))  # what stands still for minutes is told, a write
    time.sleep(10)
    since = environment.now_rfc3339()
    time.sleep(idle_seconds)
    writes = cluster.audit_writes(since, (environment.OPERATOR_USER,))
    table.add("writes in idle minutes, lease aside", str(len(writes)), "0", not writes, note=f"{idle_seconds / 60:.0f} min {writes[:3] or ''}")
    applied = [_to_applied(cluster, {"certificateManagement": install.certificate_management(cluster.ca), "nodeMetricsPort": port})
               for port in range(9191, 9191 + CHANGES)]
    middle = statistics.median(applied)
    table.add("change to applied, median of five", f"{1000 * middle:.0f} ms", "50 ms", middle <= 0.05,
              note=" ".join(f"{1000 * one:.0f}" for one in applied))
    make_pods(cluster, PODS)
    time.sleep(10)
    resident = operator.rss_mib()
    operator.terminate()
    restarted = _restart(cluster)
    table.add("restart to next change applied", f"{restarted[0]:.2f} s", "1 s", restarted[0] <= 1)
    fresh = restarted[1].rss_mib()
    table.add("operator resident, 10,000 pods", f"{max(resident, fresh):.1f} MiB", "16 MiB", max(resident, fresh) <= 16,
              note=f"before restart {resident:.1f}, after {fresh:.1f}")
    restarted[1].terminate()
    manager.terminate()


def _restart(cluster):
    """(seconds from start of a new process to a changed DaemonSet, that process)."""
    spec = {"certificateManagement": install.certificate_management(cluster.ca), "nodeMetricsPort": 9091}
    cluster.kube.apply(install.INSTALLATION, install.installation(spec))
    before = cluster.kube.get(DAEMONSET)["metadata"]["generation"]
    operator = cluster.start_operator(label="restarted")
    seconds = _timed(lambda: cluster.kube.get(DAEMONSET)["metadata"]["generation"] != before)
    return seconds, operator


