"""Images on the nodes."""

import concurrent.futures
import subprocess

from localcluster.errors import ClusterError

PAUSE_NAME = "localhost/calico-operator/pause:1"

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
