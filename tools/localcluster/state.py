"""What is written down about a cluster, and locks so that two commands do not change it at once."""

import contextlib
import dataclasses
import fcntl
import json
import os

from localcluster import layout, network
from localcluster.errors import ClusterError

_FILE = "cluster.json"


@dataclasses.dataclass
class Settings:
    """What `up` was asked for."""

    name: str
    index: int
    release: str  # 1.37
    nodes: int  # 0: control plane only
    assets: str | None  # the folder KUBEBUILDER_ASSETS named, if any

    @property
    def layout(self):
        return layout.Layout(self.name, self.index)


def clusters_folder():
    return layout.state_folder() / "clusters"


def read(name):
    """The settings of a cluster, or None when there is none of this name."""
    file = clusters_folder() / name / _FILE
    try:
        return Settings(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"read {file}: {error}", f"run `tools/cluster down --name {name}` and up again"
        ) from error


def write(settings):
    """Writes the settings, through a rename."""
    folder = settings.layout.folder
    temporary = folder / f"{_FILE}.new"
    temporary.write_text(
        json.dumps(dataclasses.asdict(settings), indent=2) + "\n", encoding="utf-8"
    )
    temporary.rename(folder / _FILE)


def names():
    """The names of all clusters, sorted; also of those that a crash left half made."""
    try:
        return sorted(entry.name for entry in clusters_folder().iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []


@contextlib.contextmanager
def _locked(folder):
    """Holds a lock on a folder, made when missing; others may remove it while this waits."""
    while True:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                same = os.fstat(handle).st_ino == os.stat(folder).st_ino
            except FileNotFoundError:
                same = False
            if same:
                try:
                    yield
                finally:
                    with contextlib.suppress(OSError):
                        os.rmdir(folder)  # nothing came into it, or nothing is left
                return
        finally:
            os.close(handle)


def locked(name):
    """A with-block in which no other command changes the cluster."""
    return _locked(clusters_folder() / name)


def allocate_index(name):
    """A free index; the caller writes the new settings in the same with-block of all_locked()."""
    used = set()
    for other in names():
        settings = read(other) if other != name else None
        if settings:
            used.add(settings.index)
    used |= network.taken_indexes(layout.CLUSTER_LIMIT, lambda index: layout.Layout(name, index))
    for index in range(layout.CLUSTER_LIMIT):
        if index not in used:
            return index
    raise ClusterError(
        f"find addresses for cluster {name}: "
        f"all {layout.CLUSTER_LIMIT} blocks of {layout.RANGE} are in use",
        "`tools/cluster list` shows the clusters; take one down",
    )


def all_locked():
    """A with-block in which no other command takes an index."""
    return _locked(clusters_folder())


def has_nodes():
    """Whether any cluster of this machine has nodes, as far as can be told."""
    for name in names():
        try:
            settings = read(name)
        except ClusterError:
            return True
        if settings and settings.nodes:
            return True
    return False


def remove_empty_folders():
    """Removes the folders above the clusters when the last cluster is gone."""
    for folder in (clusters_folder(), layout.state_folder()):
        try:
            folder.rmdir()
        except OSError:
            return
