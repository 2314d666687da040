"""Images on the nodes, and the sandbox image, which is made here without any registry."""

import concurrent.futures
import hashlib
import io
import json
import platform
import subprocess
import tarfile

from localcluster.errors import ClusterError

PAUSE_NAME = "localhost/calico-operator/pause:1"

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def go_architecture():
    """This machine's name in Go's and the images' terms."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def _add(archive, name, data, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))


def _tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data, mode in files:
            _add(archive, name, data, mode)
    return out.getvalue()


def single_file_image(name, program):
    """A docker-archive of one layer with this program (bytes) as /program, and nothing else."""
    layer = _tar([("program", program, 0o755)])
    config = json.dumps(
        {
            "architecture": go_architecture(),
            "os": "linux",
            "config": {"Entrypoint": ["/program"], "User": "65535:65535"},
            "rootfs": {
                "type": "layers",
                "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()],
            },
        }
    ).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps(
        [{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]
    ).encode()
    return _tar(
        [
            (config_name, config, 0o644),
            ("layer.tar", layer, 0o644),
            ("manifest.json", manifest, 0o644),
        ]
    )


def load(runner, files):
    """Imports image archives on one node (a NodeRunner); the names of what came."""
    names = []
    for file in files:
        with open(file, "rb") as archive:
            result = subprocess.run(
                [
                    "nsenter",
                    "-t",
                    str(runner.init.pid()),
                    "-m",
                    "-n",
                    "ctr",
                    "--address",
                    "/run/containerd/containerd.sock",
                    "--namespace",
                    "k8s.io",
                    "images",
                    "import",
                    "-",
                ],
                stdin=archive,
                capture_output=True,
                text=True,
                check=False,
            )
        if result.returncode != 0:
            raise ClusterError(
                f"load image {file} on {runner.node.name}: {result.stderr.strip()[-400:]}",
                "the file must be a docker-archive or oci-archive, as `buildah push` writes it",
            )
        names += [
            line.split()[1] for line in result.stdout.splitlines() if line.startswith("unpacking ")
        ]
    return names


def load_everywhere(runners, files):
    """Imports image archives on all nodes at once; the names of what came."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(runners))) as pool:
        found = list(pool.map(lambda runner: load(runner, files), runners))
    return found[0] if found else []
