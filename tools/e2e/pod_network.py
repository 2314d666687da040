"""Pods and Services that can be reached, on a node without Calico: a CNI configuration and a real kube-proxy.

Pods run programs of this machine, which a node sees below /usr, in the image that every node has.
"""

import pathlib
import subprocess

from localcluster import binaries, build, images

_CNI = """{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true,
"ipMasq": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "%s"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
"""
# Folders of the node, and where a program of the machine looks for them.
_PROGRAMS = {"/usr": "/usr", "/usr/lib": "/lib", "/usr/lib64": "/lib64"}
# The kernel's connection tracking is the machine's, and stays as it is.
_PROXY_FLAGS = ("--proxy-mode=iptables", "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0",
                "--conntrack-tcp-timeout-close-wait=0")


def _node_words(cluster, node, *words):
    return [str(binaries.TOOLS / "cluster"), "exec", "--name", cluster.name, node, "--", *words]


def _on_node(cluster, node, script, data=b""):
    return subprocess.run(_node_words(cluster, node, "/bin/sh", "-c", script), input=data, check=True,
                          capture_output=True).stdout


def install(cluster, node, program):
    """Copies a program to the node, where pods find it by its name."""
    target = f"/usr/local/bin/{program.name}"
    _on_node(cluster, node, f"cat > {target}; chmod 755 {target}", program.read_bytes())


def start(cluster, node):
    """The node becomes Ready, its pods have addresses, and those of Services lead to them."""
    pods = _on_node(cluster, node, "cat /etc/cni/net.d/pod-cidr").decode().strip()
    _on_node(cluster, node, "cat > /etc/cni/net.d/10-pods.conflist", (_CNI % pods).encode())
    product = build.kube_proxy()
    product.ensure()
    install(cluster, node, product.folder / "kube-proxy")
    _on_node(cluster, node, "umask 077; cat > /run/kube-proxy.kubeconfig",
             pathlib.Path(cluster.status["kubeconfig"]).read_bytes())
    cluster.start("kube-proxy", _node_words(cluster, node, "/usr/local/bin/kube-proxy", f"--hostname-override={node}",
                                            "--kubeconfig=/run/kube-proxy.kubeconfig", *_PROXY_FLAGS), {})
    cluster.kube.kubectl("wait", "--for=condition=Ready", f"node/{node}", "--timeout=60s")


def pod(namespace, name, command, volumes, hosts=None, ports=(), account=None):
    """A Pod that runs a command of the machine. `volumes`: mount path -> volume without its name; `hosts`: address -> names
    that it knows; `account`: with a token of this service account."""
    mounts, all_volumes = [], []
    for path, volume in {**{inside: {"hostPath": {"path": folder}} for folder, inside in _PROGRAMS.items()}, **volumes}.items():
        label = path.strip("/").replace("/", "-")
        mounts.append({"name": label, "mountPath": path, "readOnly": True})
        all_volumes.append({"name": label, **volume})
    container = {"name": "it", "image": images.PAUSE_NAME, "command": list(command), "volumeMounts": mounts,
                 "env": [{"name": "PATH", "value": "/usr/local/bin:/usr/bin"}],
                 "ports": [{"name": label, "containerPort": port} for label, port in dict(ports).items()]}
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
            "spec": {"automountServiceAccountToken": account is not None, "serviceAccountName": account or "default",
                     "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                     "hostAliases": [{"ip": address, "hostnames": names} for address, names in (hosts or {}).items()],
                     "containers": [container], "volumes": all_volumes}}
