"""Where things are: folders, addresses and names of a cluster.

Every cluster owns one block, chosen by its index, of 198.18.0.0/15, the range set aside for
benchmarks within one laboratory. All addresses and link names follow from the index, all folders
and control groups from the name.
"""

import dataclasses
import ipaddress
import os
import pathlib
import re

from localcluster.errors import ClusterError

RANGE = ipaddress.ip_network("198.18.0.0/15")
BLOCK_PREFIX = 20  # nodes .0/24, services .1/24, pods .8/21
CLUSTER_LIMIT = 2 ** (BLOCK_PREFIX - RANGE.prefixlen)
NODE_LIMIT = 8  # as many /24 as the pods' /21 has
API_PORT = 6443
DEFAULT_NAME = "dev"

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?")


def cache_folder():
    """Folder of what was built; survives clusters."""
    named = os.environ.get("CALICO_OPERATOR_CACHE")
    return pathlib.Path(named) if named else pathlib.Path.home() / ".cache" / "calico-operator"


def state_folder():
    """Folder of all clusters of this machine; like their addresses, the same for every user."""
    named = os.environ.get("CALICO_OPERATOR_STATE")
    return pathlib.Path(named) if named else pathlib.Path("/var/lib/calico-operator")


def check_name(name):
    """Raises ClusterError unless name is fit for folders, groups and host names."""
    if not _NAME.fullmatch(name):
        raise ClusterError(
            f"use cluster name {name!r}: not 1 to 20 of a-z, 0-9 and '-', beginning with a letter",
            "choose another --name",
        )


@dataclasses.dataclass(frozen=True)
class Node:
    """One node's names and addresses."""

    name: str
    number: int
    address: str
    link: str  # the host's end of its cable
    cgroup: str  # below the root of every hierarchy
    folder: pathlib.Path

    @property
    def root(self):
        """What the node sees as / (some of it is mounted over)."""
        return self.folder / "root"

    @property
    def config(self):
        """Files of kubelet and containerd, readable in the node below /var/lib/kubernetes."""
        return self.root / "var" / "lib" / "kubernetes"


@dataclasses.dataclass(frozen=True)
class Layout:
    """All names and addresses of one cluster."""

    name: str
    index: int

    @property
    def folder(self):
        return state_folder() / "clusters" / self.name

    @property
    def logs(self):
        return self.folder / "logs"

    @property
    def pki(self):
        return self.folder / "pki"

    @property
    def processes(self):
        return self.folder / "processes"

    @property
    def kubeconfig(self):
        return self.folder / "kubeconfig"

    @property
    def audit_log(self):
        return self.folder / "audit.log"

    @property
    def _block(self):
        size = 2 ** (32 - BLOCK_PREFIX)
        return ipaddress.ip_network((int(RANGE.network_address) + self.index * size, BLOCK_PREFIX))

    @property
    def block(self):
        """Every address of the cluster lies in here."""
        return self._block

    @property
    def bridge(self):
        return f"calop{self.index}"

    @property
    def bridge_mac(self):
        return f"02:ca:11:c0:00:{self.index:02x}"

    @property
    def address(self):
        """The bridge's own address; the whole control plane listens on it."""
        return str(self._block.network_address + 1)

    @property
    def node_network(self):
        return ipaddress.ip_network((self._block.network_address, 24))

    @property
    def service_network(self):
        return ipaddress.ip_network((self._block.network_address + 256, 24))

    @property
    def service_address(self):
        """Address of the Service default/kubernetes."""
        return str(self.service_network.network_address + 1)

    @property
    def pod_network(self):
        return ipaddress.ip_network((self._block.network_address + 8 * 256, 21))

    @property
    def api_url(self):
        return f"https://{self.address}:{API_PORT}"

    def node(self, number):
        """The node of this number, counted from 1."""
        name = f"node{number}"
        return Node(
            name=name,
            number=number,
            address=str(self._block.network_address + 10 + number),
            link=f"calop{self.index}n{number}",
            cgroup=f"calico-operator.{self.name}.{name}",
            folder=self.folder / "nodes" / name,
        )

    def nodes(self, count):
        return [self.node(number) for number in range(1, count + 1)]

    def pod_range(self, number):
        """The pods' addresses of the node of this number, as its Node object is created with."""
        return str(list(self.pod_network.subnets(new_prefix=24))[number - 1])
