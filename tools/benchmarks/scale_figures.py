"""Figures of calico-operator in a large cluster: 5,000 nodes, and the pods that kube-controller-manager makes for them."""

import itertools
import os
import pathlib
import time

from benchmarks import played_nodes
from deployment import install, kube as kubes
from e2e import environment

NODES = 5_000
CALM = 40  # seconds, in which the operator has given back once what it needed on the way


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(cluster, table, idle_seconds):
    kube = cluster.kube
    manager = played_nodes.start_manager(cluster)
    kube.create_many("/api/v1/nodes", (played_nodes.node(number) for number in range(NODES)))
    kube.apply(install.INSTALLATION, install.installation({"certificateManagement": install.certificate_management(cluster.ca)}))
    manager_before = cpu_seconds(manager.popen.pid)
    operator = cluster.start_operator()
    done, spare = set(), itertools.cycle(range(NODES))
    kubes.wait_for("a pod on every node", lambda: played_nodes.bring_up_pods(kube, done, spare) > NODES, 900, interval=2)
    played_nodes.wait_for_available(kube, done, spare)
    used, peer = cpu_seconds(operator.popen.pid), cpu_seconds(manager.popen.pid) - manager_before
    pods = len(done)
    table.add("5,000 nodes: CPU until Available", f"{used:.1f} s", f"{played_nodes.MANAGER}'s", used <= peer,
              f"{peer:.1f} s ({played_nodes.MANAGER})", f"{pods:,} pods, ratio {used / peer:.2f}")
    time.sleep(CALM)
    resident, before = operator.rss_mib(), cpu_seconds(operator.popen.pid)
    since = environment.now_rfc3339()
    time.sleep(idle_seconds)
    idle = 100 * (cpu_seconds(operator.popen.pid) - before) / idle_seconds
    writes = cluster.audit_writes(since, (environment.OPERATOR_USER,))
    table.add("5,000 nodes: idle CPU", f"{idle:.2f} % of a core", "1 %", idle <= 1, note=f"{idle_seconds} s, {len(writes)} writes")
    table.add("5,000 nodes: operator resident", f"{resident:.1f} MiB", "16 MiB", resident <= 16, note=f"{pods:,} pods of calico-system, {CALM} s after Available; peak {operator.peak_mib():.1f}")
    operator.terminate()
    manager.terminate()
