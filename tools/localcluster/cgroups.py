"""Control groups of nodes, in version 1 hierarchies or the one of version 2."""

import dataclasses
import os
import pathlib
import time

from localcluster.errors import ClusterError

# What the kubelet wants to find delegated (of those that the kernel has).
_WANTED = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


@dataclasses.dataclass(frozen=True)
class Hierarchy:
    """One mounted hierarchy."""

    folder: pathlib.Path
    version: int
    controllers: frozenset


def parse_mounts(text):
    """The hierarchies among the lines of /proc/self/mounts, each once."""
    found = {}
    for line in text.splitlines():
        _, folder, kind, options = line.split()[:4]
        if kind == "cgroup":
            found.setdefault(
                folder, Hierarchy(pathlib.Path(folder), 1, frozenset(options.split(",")))
            )
        elif kind == "cgroup2":
            found.setdefault(folder, Hierarchy(pathlib.Path(folder), 2, frozenset()))
    return list(found.values())


def hierarchies():
    """The hierarchies of this machine; ClusterError when there is none."""
    found = parse_mounts(pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8"))
    if not found:
        raise ClusterError(
            "find control groups: nothing of type cgroup or cgroup2 is mounted",
            "mount -t cgroup2 none /sys/fs/cgroup",
        )
    return found


def is_version_1():
    """Whether controllers are in version 1 hierarchies (a hybrid set-up counts as such)."""
    return any(hierarchy.version == 1 for hierarchy in hierarchies())


def create(name):
    """Makes the group in every hierarchy, so that the kubelet takes it as its root."""
    pure_2 = not is_version_1()
    for hierarchy in hierarchies():
        if pure_2:
            _delegate(hierarchy.folder)
        group = hierarchy.folder / name
        group.mkdir(exist_ok=True)
        if pure_2:
            _delegate(group)
        if "cpuset" in hierarchy.controllers:
            for file in ("cpuset.cpus", "cpuset.mems"):
                if not (group / file).read_text(encoding="ascii").strip():
                    (group / file).write_text(
                        (hierarchy.folder / file).read_text(encoding="ascii"), encoding="ascii"
                    )


def _delegate(group):
    available = (group / "cgroup.controllers").read_text(encoding="ascii").split()
    enabled = (group / "cgroup.subtree_control").read_text(encoding="ascii").split()
    for controller in _WANTED:
        if controller in available and controller not in enabled:
            try:
                (group / "cgroup.subtree_control").write_text(f"+{controller}", encoding="ascii")
            except OSError as error:
                raise ClusterError(
                    f"delegate controller {controller} in {group}: {error.strerror}",
                    "run on the machine itself, or in a container with an own cgroup namespace",
                )


def remove(prefix):
    """Removes all groups whose name begins with prefix; their processes have ended before."""
    for hierarchy in hierarchies():
        for group in hierarchy.folder.glob(f"{prefix}*"):
            _remove_tree(group)


def _remove_tree(group):
    deadline = time.monotonic() + 10
    while group.exists():
        for folder, _, _ in os.walk(group, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass  # a process that has just been killed still counts for a moment
        if time.monotonic() > deadline:
            raise ClusterError(
                f"remove control group {group}: still busy after 10 s", f"see {group}/cgroup.procs"
            )
        time.sleep(0.02)
