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
)


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
