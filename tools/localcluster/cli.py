"""The command line of tools/cluster."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

from localcluster import (
    binaries,
    build,
    cluster,
    controlplane,
    layout,
    nodes,
    progress,
    state,
    sysctls,
)
from localcluster.errors import ClusterError

_FORWARDED = ("CALICO_OPERATOR_CACHE", "CALICO_OPERATOR_STATE", "KUBEBUILDER_ASSETS")


def _become_root(arguments):
    """Runs this command again with sudo, with the caller's cache."""
    os.environ["CALICO_OPERATOR_CACHE"] = str(layout.cache_folder())
    settings = [f"{name}={os.environ[name]}" for name in _FORWARDED if name in os.environ]
    os.execvp("sudo", ["sudo", "env", *settings, str(binaries.TOOLS / "cluster"), *arguments])


def _use_system_folders():
    """A root shell made by su or cron may lack the folders of ip, nsenter and mount."""
    path = os.environ.get("PATH", "").split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(
        path + [folder for folder in ("/usr/sbin", "/sbin") if folder not in path]
    )


def _component(name):
    """kube-apiserver, also when only apiserver was written."""
    return f"kube-{name}" if f"kube-{name}" in controlplane.COMPONENTS else name


def _chosen_name(options):
    """The cluster that is meant: the one named, else the only one there is, else the default."""
    names = state.names()
    if options.name is not None or options.command == "list":
        return options.name
    if options.command == "up" or layout.DEFAULT_NAME in names or not names:
        return layout.DEFAULT_NAME
    if len(names) == 1 or getattr(options, "all", False):
        return names[0]
    raise ClusterError(
        f"choose a cluster for {options.command}: there are {', '.join(names)}",
        f"name one: `tools/cluster {options.command} --name {names[0]}`",
    )


def _existing(name):
    settings = state.read(name)
    if settings is None:
        known = ", ".join(state.names()) or "none"
        raise ClusterError(
            f"find cluster {name}: there is none of this name",
            f"`tools/cluster up --name {name}` makes it; there are: {known}",
        )
    return cluster.Cluster(settings)


def _wanted_settings(options):
    """What `up` shall make: the options, else what is written down, else the defaults."""
    old = state.read(options.name)
    assets = binaries.assets_folder()
    release = options.kubernetes or (old.release if old else binaries.default_release(assets))
    count = 0 if options.control_plane_only else options.nodes
    if count is None:
        count = old.nodes if old else 2
    if not 0 <= count <= layout.NODE_LIMIT:
        raise ClusterError(
            f"make {count} nodes: a cluster has 1 to {layout.NODE_LIMIT}", "choose another --nodes"
        )
    if old and old.release != release:
        raise ClusterError(
            f"change cluster {options.name} from Kubernetes {old.release} to {release}: "
            "it has to be made anew",
            f"run `tools/cluster down --name {options.name}` first, or choose another --name",
        )
    assets = old.assets if old else str(assets) if assets else None
    return state.Settings(options.name, old.index if old else -1, release, count, assets)


def _up(options):
    layout.check_name(options.name)
    cluster.check_machine(control_plane_only=options.control_plane_only)
    with state.locked(options.name):
        with state.all_locked():
            settings = _wanted_settings(options)
            if settings.index < 0:
                settings.index = state.allocate_index(options.name)
            state.write(settings)
        it = cluster.Cluster(settings)
        size = {0: "control plane only", 1: "1 node"}.get(settings.nodes, f"{settings.nodes} nodes")
        progress.say(
            f"cluster {options.name}: Kubernetes {it.binaries.version}, {size}, {it.layout.block}"
        )
        started = time.monotonic()
        it.up()
    progress.say(
        f"cluster {options.name} is up: {progress.duration(time.monotonic() - started)}\n\n"
        f"  export KUBECONFIG={it.layout.kubeconfig}\n"
        f"  {it.binaries.program('kubectl')} get nodes\n"
        f"  tools/cluster down --name {options.name}"
    )


def _down(options):
    for name in state.names() if options.all else [options.name]:
        layout.check_name(name)
        known = name in state.names()
        said = f"cluster {name} is down" if known else f"cluster {name}: there is none"
        with state.locked(name), progress.step(said):
            cluster.remove(layout.Layout(name, 0))  # finds what is the cluster's by its name alone
    with state.all_locked():
        if not state.has_nodes():
            sysctls.restore()
        state.remove_empty_folders()


def _status(options):
    found = _existing(options.name).status()
    if options.output == "json":
        print(json.dumps(found, indent=2))
        return
    server = found["apiServer"]
    print(f"cluster {found['name']}: {found['state']}, Kubernetes {found['kubernetes']}")
    print(
        f"  API server   {server['url']}  (KUBERNETES_SERVICE_HOST={server['host']} "
        f"KUBERNETES_SERVICE_PORT={server['port']})"
    )
    for label, key in (
        ("kubeconfig", "kubeconfig"),
        ("kubectl", "kubectl"),
        ("audit log", "auditLog"),
        ("state folder", "stateFolder"),
        ("services", "serviceNetwork"),
        ("pods", "podNetwork"),
    ):
        print(f"  {label:<12} {found[key]}")
    for node in found["nodes"]:
        print(
            f"  {node['name']:<12} {node['address']}  pods {node['podCIDR']}  "
            f"{'Ready' if node['ready'] else 'NotReady'}"
        )
    for entry in found["components"]:
        where = f"{entry['component']} {entry['node'] or ''}".strip()
        print(f"  {where:<26} {'process ' + str(entry['pid']) if entry['pid'] else 'not running'}")


def _kubeconfig(options):
    print(_existing(options.name).layout.kubeconfig)


def _load_image(options):
    it = _existing(options.name)
    for file in options.files:
        if not os.path.isfile(file):
            raise ClusterError(f"load image {file}: no such file")
    with progress.step(f"load {len(options.files)} image files on {len(it.runners)} nodes"):
        for name in it.load_images(options.files):
            progress.say(f"    {name}")


def _logs(options):
    log = _existing(options.name).process(options.component, options.node).log
    if not log.exists():
        raise ClusterError(f"read {log}: it has not been written yet")
    lines = "+1" if options.tail is None else str(options.tail)
    os.execvp("tail", ["tail", "-n", lines, *(["-F"] if options.follow else []), str(log)])


def _list(_options):
    rows = [("NAME", "KUBERNETES", "NODES", "STATE", "API SERVER")]
    for name in state.names():
        try:
            if state.read(name) is None:
                rows.append((name, "?", "?", "half made: finish it with up, or down", ""))
                continue
            found = _existing(name).status()
        except ClusterError as error:
            rows.append((name, "?", "?", f"broken: {error}", ""))
            continue
        rows.append(
            (
                name,
                found["kubernetes"],
                str(len(found["nodes"])),
                found["state"],
                found["apiServer"]["url"],
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip())


def _change(options):
    it = _existing(options.name)
    with state.locked(options.name):
        where = f"{options.component} {options.node or ''}".strip()
        if options.command in ("stop", "restart"):
            with progress.step(f"stop {where}"):
                it.stop(options.component, options.node)
        if options.command in ("start", "restart"):
            with progress.step(f"start {where}"):
                it.start(options.component, options.node)


def _words(options):
    return options.words[1:] if options.words[:1] == ["--"] else options.words


def _exec(options):
    pid = _existing(options.name).runner(options.node).init.pid()
    if pid is None:
        raise ClusterError(
            f"run a command in {options.node}: the node does not run", "run `tools/cluster up`"
        )
    command = [
        "nsenter",
        "-t",
        str(pid),
        "-m",
        "-n",
        "-u",
        "-i",
        "-p",
        *(_words(options) or ["/bin/sh"]),
    ]
    sys.exit(subprocess.run(command, check=False).returncode)


def _kubectl(options):
    it = _existing(options.name)
    words = _words(options)
    program = str(it.binaries.program("kubectl"))
    os.execv(program, [program, f"--kubeconfig={it.layout.kubeconfig}", *words])


def _parser():
    parser = argparse.ArgumentParser(
        prog="tools/cluster",
        description="Real Kubernetes clusters of several nodes on this machine.",
    )
    components = f"{', '.join(controlplane.COMPONENTS)}; of a node {', '.join(nodes.COMPONENTS)}"
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name, function, text):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "--name",
            help=f"the cluster (default {layout.DEFAULT_NAME}, or the only one there is)",
        )
        command.set_defaults(run=function, needs_root=True)
        return command

    up = add("up", _up, "make a cluster, or repair or change one")
    up.add_argument("--nodes", type=int, help="how many nodes (default 2, or as before)")
    up.add_argument(
        "--kubernetes",
        metavar="RELEASE",
        help=f"one of {', '.join(binaries.kubernetes_releases())}",
    )
    up.add_argument(
        "--control-plane-only",
        action="store_true",
        help="etcd, kube-apiserver and kube-controller-manager, no nodes",
    )
    add("down", _down, "end a cluster and remove everything of it").add_argument(
        "--all", action="store_true", help="every cluster of this machine"
    )
    add("status", _status, "what runs, and where things are").add_argument(
        "-o", "--output", choices=["text", "json"], default="text"
    )
    add("kubeconfig", _kubeconfig, "print the path of the administrator's kubeconfig").set_defaults(
        needs_root=False
    )
    add("load-image", _load_image, "import image archives on every node").add_argument(
        "files", nargs="+", metavar="FILE"
    )
    logs = add("logs", _logs, "print the log of a component")
    logs.add_argument("component", metavar="COMPONENT", type=_component, help=components)
    logs.add_argument("node", nargs="?", metavar="NODE")
    logs.add_argument(
        "-f", "--follow", action="store_true", help="go on with what is written from now on"
    )
    logs.add_argument("--tail", type=int, metavar="LINES", help="the last lines only")
    add("list", _list, "all clusters of this machine")
    for name in ("start", "stop", "restart"):
        change = add(name, _change, f"{name} one component")
        change.add_argument("component", metavar="COMPONENT", type=_component, help=components)
        change.add_argument("node", nargs="?", metavar="NODE")
    run = add("exec", _exec, "run a command in a node's namespaces")
    run.add_argument("node", metavar="NODE")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    add("kubectl", _kubectl, "run kubectl as the administrator").add_argument(
        "words", nargs=argparse.REMAINDER, metavar="ARGUMENT"
    )
    return parser


def main(arguments):
    """Runs one command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.name = _chosen_name(options)
        if options.command == "up":
            _build(options)
        if options.needs_root and os.geteuid() != 0:
            _become_root(arguments)
        _use_system_folders()
        options.run(options)
    except ClusterError as error:
        progress.say(f"tools/cluster: {error.text()}")
        return 1
    except OSError as error:
        progress.say(
            f"tools/cluster: {options.command}: {error}\n"
            "  next: mend that, then run the command again"
        )
        return 1
    except KeyboardInterrupt:
        progress.say(
            "tools/cluster: interrupted; `tools/cluster up` goes on, `tools/cluster down` cleans up"
        )
        return 130
    return 0


def _build(options):
    """Builds what `up` will run, as the calling user."""
    old = state.read(options.name)
    assets = (
        binaries.assets_folder()
        if old is None
        else pathlib.Path(old.assets) if old.assets else None
    )
    build.ensure(
        options.kubernetes or (old.release if old else binaries.default_release(assets)), assets
    )
