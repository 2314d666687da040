"""Room for a cluster's bridge in the machine's packet filter, where that would stop its traffic.

A machine with Docker or ufw drops what it does not know: the nodes' requests to the API server
(chain INPUT) and, where bridged packets pass through iptables, those between the nodes (FORWARD).
"""

import pathlib
import shutil
import subprocess

from localcluster.errors import ClusterError

_BRIDGED = pathlib.Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def _iptables(*words):
    return subprocess.run(["iptables", "-w", *words], capture_output=True, text=True, check=False)


def _rules(bridge):
    rules = [("INPUT", ["-i", bridge, "-j", "ACCEPT"])]
    try:
        if _BRIDGED.read_text(encoding="ascii").strip() == "1":
            rules.append(("FORWARD", ["-i", bridge, "-o", bridge, "-j", "ACCEPT"]))
    except OSError:
        pass  # bridged packets do not pass through iptables
    return rules


def is_open(listing, chain):
    """Whether `iptables -S CHAIN` shows a chain that lets everything pass."""
    return listing.split("\n")[:-1] == [f"-P {chain} ACCEPT"]


def admit(bridge):
    """Lets a bridge's traffic pass; does nothing where nothing stops it."""
    if not shutil.which("iptables"):
        return
    for chain, rule in _rules(bridge):
        listing = _iptables("-S", chain)
        if (
            listing.returncode != 0
            or is_open(listing.stdout, chain)
            or _iptables("-C", chain, *rule).returncode == 0
        ):
            continue
        result = _iptables("-I", chain, "1", *rule)
        if result.returncode != 0:
            raise ClusterError(
                f"admit {bridge} in the packet filter: {result.stderr.strip()}",
                "let this bridge's traffic pass INPUT and FORWARD by hand",
            )


def forget(bridge):
    """Removes what admit() put in."""
    if not shutil.which("iptables"):
        return
    for chain, rule in _rules(bridge):
        while (
            f"-i {bridge} " in _iptables("-S", chain).stdout
            and _iptables("-D", chain, *rule).returncode == 0
        ):
            pass
