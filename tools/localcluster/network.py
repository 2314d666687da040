"""A cluster's bridge, the nodes' cables to it, and the routes to the pods' ranges."""

import json
import pathlib
import subprocess

from localcluster import firewall
from localcluster.errors import ClusterError


def _ip(arguments, pid=None, check=True):
    """Runs ip, in the network namespace of pid if one is given; with -j what it answers."""
    inside = ["nsenter", "-t", str(pid), "-n"] if pid else []
    result = subprocess.run(
        [*inside, "ip", *arguments], capture_output=True, text=True, check=False
    )
    if check and result.returncode != 0:
        raise ClusterError(f"run `ip {' '.join(arguments)}`: {result.stderr.strip()}")
    return json.loads(result.stdout or "[]") if "-j" in arguments and result.returncode == 0 else []


def _batch(commands, pid=None):
    inside = ["nsenter", "-t", str(pid), "-n"] if pid else []
    result = subprocess.run(
        [*inside, "ip", "-batch", "-"],
        input="\n".join(commands) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise ClusterError(
            f"set up the network with ip: {result.stderr.strip()}; commands: {'; '.join(commands)}"
        )


def _label(name):
    """What marks a link as this cluster's."""
    return f"calico-operator cluster {name}"


def taken_indexes(limit, layout_of):
    """The indexes whose bridge name or addresses somebody uses already."""
    links = {link["ifname"] for link in _ip(["-j", "link", "show"])}
    routes = [
        route["dst"] for route in _ip(["-j", "route", "show", "table", "all"]) if "dst" in route
    ]
    taken = set()
    for index in range(limit):
        layout = layout_of(index)
        if layout.bridge in links or any(_overlaps(layout.block, route) for route in routes):
            taken.add(index)
    return taken


def _overlaps(block, destination):
    import ipaddress  # slow to import, and needed only for a new cluster

    try:
        other = ipaddress.ip_network(destination, strict=False)
    except ValueError:
        return False  # default, broadcast and the like
    return other.version == 4 and other.prefixlen > 0 and block.overlaps(other)


def ensure_bridge(layout):
    """Makes the bridge with its address, or completes it."""
    found = _ip(["-j", "link", "show", "dev", layout.bridge], check=False)
    if not found:
        _batch(
            [
                f"link add {layout.bridge} address {layout.bridge_mac} type bridge",
                f'link set {layout.bridge} alias "{_label(layout.name)}"',
            ]
        )
    elif found[0].get("ifalias") != _label(layout.name):
        raise ClusterError(
            f"make bridge {layout.bridge}: a link of this name is there that is not this cluster's",
            f"remove it (`ip link del {layout.bridge}`) or take the cluster down and up again",
        )
    _batch(
        [
            f"address replace {layout.address}/{layout.node_network.prefixlen} dev {layout.bridge}",
            f"link set {layout.bridge} up",
        ]
    )
    firewall.admit(layout.bridge)


def ensure_cable(layout, node, pid):
    """Joins the network namespace of process pid to the bridge, as eth0 with the node's address."""
    if _ip(["-j", "link", "show", "dev", "eth0"], pid=pid, check=False):
        return
    _ip(["link", "del", node.link], check=False)  # left by a node that was killed a moment ago
    _batch(
        [
            f"link add {node.link} type veth peer name eth0 netns {pid}",
            f'link set {node.link} alias "{_label(layout.name)}"',
            f"link set {node.link} master {layout.bridge}",
            f"link set {node.link} up",
        ]
    )
    _batch(
        [
            "link set lo up",
            f"address add {node.address}/{layout.node_network.prefixlen} dev eth0",
            "link set eth0 up",
        ],
        pid=pid,
    )


def set_pod_routes(layout, nodes):
    """Routes from host and nodes to every other node's pods; nodes: (node, pid, pod range)."""
    _batch(
        [f"route replace {pods} via {node.address} dev {layout.bridge}" for node, _, pods in nodes]
    )
    for here, pid, _ in nodes:
        others = [
            f"route replace {pods} via {node.address}" for node, _, pods in nodes if node != here
        ]
        if others:
            _batch(others, pid=pid)


def remove(layout):
    """Removes the cluster's bridge and cables, only those that bear its label."""
    for link in _ip(["-j", "link", "show"]):
        if (
            link.get("ifalias") == _label(layout.name)
            and pathlib.Path("/sys/class/net", link["ifname"]).exists()
        ):
            firewall.forget(link["ifname"])
            _ip(["link", "del", link["ifname"]], check=False)
