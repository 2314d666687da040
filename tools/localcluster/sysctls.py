"""Kernel settings that a kubelet changes: noted before the first node, put back after the last."""

import json
import pathlib

from localcluster import layout

_NAMES = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "fs/inotify/max_user_instances",
)
# A kubelet and its containerd take about a dozen; the kernel's 128 are soon used up by several nodes.
_INOTIFY_INSTANCES = 1024


def _file():
    return layout.state_folder() / "sysctls.json"


def save():
    """Notes the settings unless they are noted already."""
    if _file().exists():
        return
    values = {}
    for name in _NAMES:
        try:
            values[name] = pathlib.Path("/proc/sys", name).read_text(encoding="ascii").strip()
        except OSError:
            continue  # not in this kernel
    temporary = _file().with_suffix(".new")
    temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="ascii")
    temporary.rename(_file())
    _raise_inotify()


def _raise_inotify():
    setting = pathlib.Path("/proc/sys/fs/inotify/max_user_instances")
    try:
        if int(setting.read_text(encoding="ascii")) < _INOTIFY_INSTANCES:
            setting.write_text(str(_INOTIFY_INSTANCES), encoding="ascii")
    except OSError:
        pass  # a container that may not; a kubelet that lacks some says so in its log


def restore():
    """Puts the noted settings back and forgets them."""
    try:
        values = json.loads(_file().read_text(encoding="ascii"))
    except (OSError, ValueError):
        values = {}
    for name in _NAMES:
        if name in values:
            pathlib.Path("/proc/sys", name).write_text(values[name], encoding="ascii")
    _file().unlink(missing_ok=True)
