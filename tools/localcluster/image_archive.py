"""Container images made FROM scratch, without a registry and without a build daemon.

An image is a docker-archive: one layer with the given files, equal input gives equal bytes.
"""

import hashlib
import io
import json
import platform
import tarfile

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def go_architecture():
    """This machine's name in Go's and the images' terms."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def _tar(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for entry, data in entries:
            archive.addfile(entry, io.BytesIO(data) if data is not None else None)
    return out.getvalue()


def _file(name, data, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    return entry, data


def _folder(name, mode=0o755):
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    return entry, None


def _link(name, target):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    return entry, None


def _layer(files, links):
    """A layer with `files` (path -> bytes, all executable) and `links` (path -> target)."""
    folders = set()
    for path in (*files, *links):
        parts = path.strip("/").split("/")[:-1]
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    entries = [_folder("tmp", 0o1777)]
    entries += [_folder(name) for name in sorted(folders)]
    entries += [_file(path.strip("/"), data, 0o755) for path, data in sorted(files.items())]
    entries += [_link(path.strip("/"), target) for path, target in sorted(links.items())]
    return _tar(entries)


def archive(name, files, entrypoint, user="", links=None):
    """The bytes of a docker-archive named `name` (repository:tag)."""
    layer = _layer(files, links or {})
    config = json.dumps({
        "architecture": go_architecture(),
        "os": "linux",
        "config": {"Entrypoint": entrypoint, "User": user, "Env": ["PATH=/bin:/usr/bin"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }, sort_keys=True).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    return _tar([_file(config_name, config), _file("layer.tar", layer), _file("manifest.json", manifest)])
