"""One cluster: up, down, status, and single components."""

import concurrent.futures
import datetime
import os
import shutil
import ssl
import time
import urllib.request

from localcluster import (
    api,
    binaries,
    cgroups,
    controlplane,
    images,
    kubeconfig,
    layout,
    network,
    nodes,
    pki,
    processes,
    sysctls,
)
from localcluster.errors import ClusterError
from localcluster.processes import Process
from localcluster.progress import step

READY_SECONDS = 120  # generous: a busy machine with two cores starts several clusters at once
# The API server drains watches for up to a minute, etcd its connections; nothing waits for that.
STOP_SECONDS = {controlplane.APISERVER: 3.0, controlplane.ETCD: 2.0}

_LONG_AGO = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)
_PROGRAMS = ("ip", "openssl")
_NODE_PROGRAMS = ("containerd", "ctr", "runc", "nsenter", "mount", "pivot_root")
_CNI_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin")


def check_machine(control_plane_only):
    """Raises ClusterError when the machine lacks a program that a cluster takes."""
    wanted = _PROGRAMS if control_plane_only else _PROGRAMS + _NODE_PROGRAMS
    missing = [program for program in wanted if not shutil.which(program)]
    if not control_plane_only and not any(
        os.path.exists(f"{folder}/loopback") for folder in _CNI_FOLDERS
    ):
        missing.append(f"CNI plugins in {' or '.join(_CNI_FOLDERS)}")
    if missing:
        raise ClusterError(
            f"make a cluster: {', '.join(missing)} missing on this machine", "run tools/setup"
        )


class Cluster:
    """A cluster as it is written down; methods that change it want the lock of state.locked()."""

    def __init__(self, settings):
        self.settings = settings
        self.layout = settings.layout
        self.binaries = binaries.resolve(settings.release, settings.assets)
        self.runners = [
            nodes.NodeRunner(self.layout, node, self.binaries)
            for node in self.layout.nodes(settings.nodes)
        ]

    # Components

    def components(self):
        """The control plane's programs of this cluster."""
        wanted = controlplane.COMPONENTS
        return (
            wanted
            if self.settings.nodes
            else tuple(c for c in wanted if c != controlplane.SCHEDULER)
        )

    def process(self, component, node=None):
        """The process of a component; node is a node's name, needed for those of nodes."""
        if component in controlplane.COMPONENTS:
            return Process(self.layout, component)
        if component not in nodes.COMPONENTS:
            known = ", ".join(controlplane.COMPONENTS + nodes.COMPONENTS)
            raise ClusterError(f"find component {component}: no such one", f"choose one of {known}")
        return self.runner(node).process(component)

    def runner(self, node):
        """The node of this name; where the cluster has only one, the name may be None."""
        found = [runner for runner in self.runners if node in (None, runner.node.name)]
        if len(found) != 1:
            known = (
                ", ".join(runner.node.name for runner in self.runners)
                or "none, it has a control plane only"
            )
            raise ClusterError(
                f"find node {node or '(not named)'} of cluster {self.settings.name}",
                f"name one of its nodes: {known}",
            )
        return found[0]

    def _start_component(self, component):
        process = self.process(component)
        if process.pid() is None:
            program = self.binaries.program(component)
            process.start(controlplane.COMMANDS[component](self.layout, program))

    def start(self, component, node=None):
        """Starts one component; with a node's init the whole node comes back."""
        if component in controlplane.COMPONENTS:
            self._start_component(component)
            self._wait_component(component)
        elif component == nodes.KUBELET:
            self.runner(node).start_kubelet()
        elif component == nodes.CONTAINERD:
            self.runner(node).start_runtime()
        else:
            self.up()

    def stop(self, component, node=None):
        """Stops one component and waits until it is gone."""
        self.process(component, node).stop(STOP_SECONDS.get(component, 5.0))

    def _wait_component(self, component):
        process = self.process(component)
        if component in controlplane.HEALTH_PORTS:
            port = controlplane.HEALTH_PORTS[component]
            api.wait_for(
                f"{component} to be healthy",
                lambda: self._is_healthy(port),
                [process],
                READY_SECONDS,
            )
        elif (
            self.process(controlplane.APISERVER).pid() is not None
        ):  # it says whether etcd serves, too
            needed = [self.process(controlplane.ETCD), self.process(controlplane.APISERVER)]
            api.wait_for(
                "kube-apiserver to be ready", api.Api(self.layout).is_ready, needed, READY_SECONDS
            )

    def _is_healthy(self, port):
        context = ssl.create_default_context(cafile=str(self.layout.pki / "ca.crt"))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(f"https://{self.layout.address}:{port}/healthz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    # Up

    def up(self):
        """Makes what is missing; safe on a cluster that runs, was killed, or is half made."""
        self.layout.processes.mkdir(parents=True, exist_ok=True)
        self.layout.logs.mkdir(parents=True, exist_ok=True)
        network.ensure_bridge(self.layout)
        with step("make certificates"):
            self._make_credentials()
        with concurrent.futures.ThreadPoolExecutor(layout.NODE_LIMIT + 1) as pool:
            jobs = [pool.submit(self._up_control_plane)]
            if self.runners:
                sysctls.save()
                jobs += [pool.submit(self._up_runtime, runner) for runner in self.runners]
            for job in jobs:
                job.result()
        self._remove_surplus()
        if self.runners:
            with step("register the nodes"):
                self._up_kubelets()

    def _make_credentials(self):
        leaves = pki.control_plane_leaves(self.layout)
        for runner in self.runners:
            leaves += pki.node_leaves(runner.node)
        pki.ensure(self.layout, leaves)
        for file in ("controller-manager", "scheduler"):
            kubeconfig.write(self.layout, file, self.layout.folder / f"{file}.kubeconfig")
        kubeconfig.write(self.layout, "admin", self.layout.kubeconfig)
        if os.environ.get("SUDO_UID"):
            os.chown(
                self.layout.kubeconfig, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])
            )

    def _up_control_plane(self):
        with step("start etcd and kube-apiserver"):
            self._start_component(controlplane.ETCD)
            self._start_component(controlplane.APISERVER)
            self._wait_component(controlplane.APISERVER)
        rest = [
            component for component in self.components() if component in controlplane.HEALTH_PORTS
        ]
        with step(f"start {' and '.join(rest)}"):
            for component in rest:
                self._start_component(component)
            for component in rest:
                self._wait_component(component)

    def _up_runtime(self, runner):
        with step(f"start {runner.node.name} with containerd"):
            runner.start_runtime()

    def _up_kubelets(self):
        client = api.Api(self.layout)
        now = datetime.datetime.now(datetime.timezone.utc)
        started, ranges = [], []
        for runner in self.runners:
            node = runner.node
            client.create_node(node.name, self.layout.pod_range(node.number))
            api.wait_for(
                f"addresses for the pods of {node.name}",
                lambda n=node: client.pod_range(n.name),
                [self.process(controlplane.CONTROLLER_MANAGER)],
                READY_SECONDS,
            )
            pod_range = client.pod_range(node.name)
            runner.publish_pod_range(pod_range)
            ranges.append((node, runner.init.pid(), pod_range))
            if runner.start_kubelet():
                started.append(runner)
        network.set_pod_routes(self.layout, ranges)
        for runner in started:
            api.wait_for(
                f"the kubelet of {runner.node.name} to report",
                lambda name=runner.node.name: (client.renewed_lease(name) or _LONG_AGO) >= now,
                [runner.kubelet],
                READY_SECONDS,
            )

    def _remove_surplus(self):
        """After `up --nodes` with fewer than before."""
        if not self.runners:
            self.process(controlplane.SCHEDULER).stop(0)
        folder = self.layout.folder / "nodes"
        wanted = {runner.node.name for runner in self.runners}
        for number in range(1, layout.NODE_LIMIT + 1):
            node = self.layout.node(number)
            if node.name not in wanted and (folder / node.name).exists():
                with step(f"remove {node.name}"):
                    nodes.NodeRunner(self.layout, node, self.binaries).delete()
                    api.Api(self.layout).delete_node(node.name)

    def status(self):
        """What runs, as a dict fit for JSON."""
        components = [(name, None, self.process(name)) for name in self.components()]
        for runner in self.runners:
            components += [
                (name, runner.node.name, runner.process(name)) for name in nodes.COMPONENTS
            ]
        listed = [
            {"component": name, "node": node, "pid": process.pid(), "log": str(process.log)}
            for name, node, process in components
        ]
        ready = self._ready_nodes()
        running = ready is not None and all(entry["pid"] for entry in listed)
        return {
            "name": self.settings.name,
            "kubernetes": self.binaries.version,
            "state": (
                "running"
                if running
                else "stopped" if not any(e["pid"] for e in listed) else "degraded"
            ),
            "apiServer": {
                "host": self.layout.address,
                "port": layout.API_PORT,
                "url": self.layout.api_url,
            },
            "kubeconfig": str(self.layout.kubeconfig),
            "kubectl": str(self.binaries.program("kubectl")),
            "etcdctl": self._etcdctl(),
            "auditLog": str(self.layout.audit_log),
            "stateFolder": str(self.layout.folder),
            "serviceNetwork": str(self.layout.service_network),
            "podNetwork": str(self.layout.pod_network),
            "nodes": [self._node_status(runner, ready or {}) for runner in self.runners],
            "components": listed,
        }

    def _etcdctl(self):
        pki_folder = self.layout.pki
        try:
            program = self.binaries.program("etcdctl")
        except ClusterError:
            return None
        return (
            f"{program} --endpoints=https://{self.layout.address}:{controlplane.ETCD_PORT} "
            f"--cacert={pki_folder}/etcd-ca.crt --cert={pki_folder}/etcd-client.crt "
            f"--key={pki_folder}/etcd-client.key"
        )

    def _ready_nodes(self):
        """Node objects by name, or None when the API server does not answer."""
        try:
            return api.Api(self.layout).nodes()
        except (OSError, ClusterError):  # OSError: it has no certificates yet
            return None

    def _node_status(self, runner, known):
        node = known.get(runner.node.name, {})
        return {
            "name": runner.node.name,
            "address": runner.node.address,
            "ready": api.is_node_ready(node),
            "podCIDR": node.get("spec", {}).get("podCIDR"),
            "pid": runner.init.pid(),
        }

    def load_images(self, files):
        """Imports archives on every node; the names that came."""
        if not self.runners:
            raise ClusterError(
                f"load images into cluster {self.settings.name}: it has no nodes",
                "run `tools/cluster up --nodes 2`",
            )
        for runner in self.runners:
            runner.containerd.require()
        return images.load_everywhere(self.runners, files)


def remove(where):
    """Ends and removes everything of a cluster, by its marks: also of one that is half made."""
    processes.end_all(where.folder)
    network.remove(where)
    cgroups.remove(f"calico-operator.{where.name}.")
    deadline = time.monotonic() + 10
    while where.folder.exists():
        shutil.rmtree(where.folder, ignore_errors=time.monotonic() < deadline)
