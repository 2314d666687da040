"""Which programs a cluster runs: those that tools/setup built, or those in KUBEBUILDER_ASSETS."""

import dataclasses
import os
import pathlib
import re
import subprocess

from localcluster import layout
from localcluster.errors import ClusterError

TOOLS = pathlib.Path(__file__).resolve().parent.parent
KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kubectl",
)
ETCD_PROGRAMS = ("etcd", "etcdctl")
# What a folder of somebody else's must have; the others are taken from it where present.
ASSETS_REQUIRED = ("etcd", "kube-apiserver", "kubectl")


def required_version(go_mod, module):
    """The version (without v) that the text of a go.mod requires of a module."""
    match = re.search(rf"^(?:require\s+|\s+){re.escape(module)} v(\S+)", go_mod, re.MULTILINE)
    if not match:
        raise ClusterError(f"read go.mod: it does not require {module}")
    return match.group(1)


def kubernetes_releases():
    """The releases that can be built, newest first: 1.37, 1.35, …"""
    folders = [
        folder.name for folder in (TOOLS / "kubernetes").iterdir() if (folder / "go.mod").exists()
    ]
    return sorted(folders, key=lambda name: [int(part) for part in name.split(".")], reverse=True)


def kubernetes_version(release):
    """1.37 -> 1.37.2."""
    if release not in kubernetes_releases():
        raise ClusterError(
            f"use Kubernetes {release}: not one of {', '.join(kubernetes_releases())}",
            "choose one of these",
        )
    go_mod = (TOOLS / "kubernetes" / release / "go.mod").read_text(encoding="utf-8")
    return required_version(go_mod, "k8s.io/kubernetes")


def default_release(assets):
    """The newest release; with a folder of other programs, none newer than its API server.

    What the folder lacks is built from that release: a kubelet may be older than its API server,
    but not newer.
    """
    releases = kubernetes_releases()
    if assets is None:
        return releases[0]
    version = version_of(pathlib.Path(assets) / "kube-apiserver")
    for release in releases:
        if minor_of(release) <= minor_of(version):
            return release
    raise ClusterError(
        f"use KUBEBUILDER_ASSETS={assets}: Kubernetes {version} is older than {releases[-1]}",
        "use newer programs, or unset KUBEBUILDER_ASSETS",
    )


def minor_of(version):
    """1.37.2 -> 37."""
    return int(version.split(".")[1])


def etcd_version():
    go_mod = (TOOLS / "etcd" / "go.mod").read_text(encoding="utf-8")
    return required_version(go_mod, "go.etcd.io/etcd/server/v3")


def kube_proxy_version():
    go_mod = (TOOLS / "kubeproxy" / "go.mod").read_text(encoding="utf-8")
    return required_version(go_mod, "k8s.io/kubernetes")


def kubernetes_folder(release):
    return layout.cache_folder() / "kubernetes" / kubernetes_version(release)


def etcd_folder():
    return layout.cache_folder() / "etcd" / etcd_version()


def kube_proxy_folder():
    return layout.cache_folder() / "kube-proxy" / kube_proxy_version()


def pause_folder():
    return layout.cache_folder() / "pause"


def assets_folder():
    """The folder of KUBEBUILDER_ASSETS, or None; ClusterError when it lacks a needed program."""
    named = os.environ.get("KUBEBUILDER_ASSETS")
    if not named:
        return None
    folder = pathlib.Path(named).resolve()
    missing = [program for program in ASSETS_REQUIRED if not (folder / program).exists()]
    if missing:
        raise ClusterError(
            f"use KUBEBUILDER_ASSETS={folder}: {', '.join(missing)} missing there",
            "put the programs there, or unset KUBEBUILDER_ASSETS",
        )
    return folder


@dataclasses.dataclass(frozen=True)
class Binaries:
    """The programs of one cluster; the versions, such as 1.37.2, are API server's and kubelet's."""

    version: str
    kubelet_version: str
    folders: tuple  # searched in this order
    pause: pathlib.Path
    pause_image: pathlib.Path

    def program(self, name):
        """The path of a program; ClusterError when it is in none of the folders."""
        for folder in self.folders:
            if (folder / name).exists():
                return folder / name
        raise ClusterError(
            f"find {name} for Kubernetes {self.version}: not built", "run tools/setup"
        )


def version_of(program):
    """`kube-apiserver --version` says `Kubernetes v1.37.2`."""
    try:
        text = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ClusterError(
            f"run {program} --version: {error}", "it must be a program for this machine"
        ) from error
    match = re.search(r"v(\d+\.\d+\.\d+)", text)
    if not match:
        raise ClusterError(f"run {program} --version: no version in {text.strip()[:100]!r}")
    return match.group(1)


def resolve(release, assets):
    """The programs of a release; assets (a folder or None) comes first."""
    folders = [kubernetes_folder(release), etcd_folder()]
    version = kubelet_version = kubernetes_version(release)
    if assets:
        folders.insert(0, pathlib.Path(assets))
        version = version_of(folders[0] / "kube-apiserver")
        if (folders[0] / "kubelet").exists():
            kubelet_version = version_of(folders[0] / "kubelet")
    pause = pause_folder()
    return Binaries(version, kubelet_version, tuple(folders), pause / "pause", pause / "pause.tar")
