"""A node: private namespaces held by a process of ours, containerd and kubelet in them."""

import json
import pathlib
import shutil
import time

from localcluster import binaries, cgroups, images, kubeconfig, network
from localcluster.errors import ClusterError
from localcluster.processes import Process

INIT, CONTAINERD, KUBELET = "init", "containerd", "kubelet"
COMPONENTS = (INIT, CONTAINERD, KUBELET)
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
KUBELET_PORT = 10250

_INIT_SCRIPT = pathlib.Path(__file__).with_name("node_init.sh")
_CAP_SYS_RESOURCE = 24


def may_raise_oom_score():
    """Whether this machine lets us lower a process's OOM score (capability SYS_RESOURCE)."""
    for line in pathlib.Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_SYS_RESOURCE & 1)
    return False


def containerd_config(restrict_oom_score):
    """containerd's configuration (TOML, version 2: containerd 1.4 and newer read it)."""
    return f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "{CONTAINERD_SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.PAUSE_NAME}"
  restrict_oom_score_adj = {str(restrict_oom_score).lower()}
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
"""


def kubelet_config(node, minor, cgroup_version_1):
    """The KubeletConfiguration for a kubelet of version 1.<minor>."""
    folder = "/var/lib/kubernetes"
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "port": KUBELET_PORT,
        "readOnlyPort": 0,
        "tlsCertFile": f"{folder}/server.crt",
        "tlsPrivateKeyFile": f"{folder}/server.key",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{folder}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "failSwapOn": False,
        "volumePluginDir": "/usr/libexec/kubernetes/kubelet-plugins/volume/exec",
        "resolvConf": "/etc/resolv.conf",
        "clusterDomain": "cluster.local",
        # Images come by hand and cannot be fetched again, so none is ever collected.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
            "imagefs.inodesFree": "1%",
        },
    }
    if cgroup_version_1 and minor >= 31:
        config["failCgroupV1"] = False
    return config


class NodeRunner:
    """Starts, repairs and stops one node."""

    def __init__(self, layout, node, programs):
        self.node = node
        self._layout = layout
        self._programs = programs
        self.init = Process(layout, f"{node.name}-{INIT}")
        self.containerd = Process(layout, f"{node.name}-{CONTAINERD}")
        self.kubelet = Process(layout, f"{node.name}-{KUBELET}")

    def process(self, component):
        return {INIT: self.init, CONTAINERD: self.containerd, KUBELET: self.kubelet}[component]

    def start_runtime(self):
        """Makes the namespaces and starts containerd, as far as they are missing."""
        if self.init.pid() is None:
            self._end_processes()
            self._write_config()
            self.init.start(
                [
                    "/bin/sh",
                    _INIT_SCRIPT,
                    self.node.folder,
                    self.node.name,
                    self._programs.pause,
                    self._programs.program("kubelet"),
                ],
                unshare=True,
            )
            self._wait_for_file("run/node-is-set-up", self.init)
        cgroups.create(self.node.cgroup)
        network.ensure_cable(self._layout, self.node, self.init.pid())
        if self.containerd.pid() is None:
            self.start_containerd()

    def start_containerd(self):
        """Starts containerd and waits until it serves; gives it the sandbox image."""
        socket = self.path(CONTAINERD_SOCKET)
        socket.unlink(missing_ok=True)
        self.containerd.start(
            ["/usr/bin/env", "containerd", "--config", "/var/lib/kubernetes/containerd.toml"],
            join=self.init.pid(),
        )
        self._wait_for_file(CONTAINERD_SOCKET.lstrip("/"), self.containerd)
        images.load(self, [self._programs.pause_image])

    def start_kubelet(self):
        """Starts the kubelet; False when it runs already."""
        if self.kubelet.pid() is not None:
            return False
        self.kubelet.start(
            [
                "/usr/local/bin/calico-operator-kubelet",
                "--config=/var/lib/kubernetes/kubelet.json",
                "--kubeconfig=/var/lib/kubernetes/kubeconfig",
                f"--hostname-override={self.node.name}",
                f"--node-ip={self.node.address}",
                "--cert-dir=/var/lib/kubelet/pki",
                "--root-dir=/var/lib/kubelet",
            ],
            join=self.init.pid(),
        )
        return True

    def path(self, inside):
        """The path by which the machine reaches a path of the node; only while the node runs."""
        return pathlib.Path(f"/proc/{self.init.pid()}/root") / inside.lstrip("/")

    def publish_pod_range(self, pod_range):
        """Tells the node's CNI installer which addresses its pods have."""
        self.path("/etc/cni/net.d/pod-cidr").write_text(pod_range + "\n", encoding="ascii")

    def stop(self):
        """Ends every process of the node at once: they live and die with its process 1."""
        self._end_processes()
        cgroups.remove(self.node.cgroup)

    def _end_processes(self):
        for process in (self.init, self.kubelet, self.containerd):
            process.stop(0)

    def delete(self):
        """Stops the node and removes its files."""
        self.stop()
        if self.node.folder.exists():
            shutil.rmtree(self.node.folder)

    def _wait_for_file(self, inside, process):
        deadline = time.monotonic() + 30
        while self.init.pid() is None or not self.path(inside).exists():
            process.require()
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"start {process.name}: /{inside} is not there after 30 s; "
                    f"last lines of {process.log}:\n{process.tail()}",
                    "run `tools/cluster up` again",
                )
            time.sleep(0.02)

    def _write_config(self):
        folder = self.node.config
        folder.mkdir(parents=True, exist_ok=True)
        pki, name = self._layout.pki, self.node.name
        for source, target in (
            ("ca.crt", "ca.crt"),
            (f"{name}-server.crt", "server.crt"),
            (f"{name}-server.key", "server.key"),
        ):
            shutil.copy2(pki / source, folder / target)
        kubeconfig.write(self._layout, f"{name}-client", folder / "kubeconfig")
        config = kubelet_config(
            self.node, binaries.minor_of(self._programs.kubelet_version), cgroups.is_version_1()
        )
        (folder / "kubelet.json").write_text(json.dumps(config, indent=2) + "\n", encoding="ascii")
        (folder / "containerd.toml").write_text(
            containerd_config(not may_raise_oom_score()), encoding="ascii"
        )
        (folder / "hosts").write_text(
            f"127.0.0.1 localhost\n::1 localhost\n{self.node.address} {name}\n", encoding="ascii"
        )
