"""The command line of tools/schema."""

import argparse

from deployment import kube as kubes
from kubeschema import comparison, document, server, text
from localcluster import binaries
from localcluster.errors import ClusterError
from localcluster.progress import say, step

FILE = binaries.TOOLS.parent / "pkg" / "kube" / "schema" / "kubernetes.yaml"


def _parser():
    parser = argparse.ArgumentParser(
        prog="tools/schema", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="What the API server knows about the kinds that the operator handles: lists and their keys, atomic\n"
                    "values, pointers, defaults. `write` makes pkg/kube/schema/kubernetes.yaml from a server, `check` lists\n"
                    "where a server says something else and ends with status 1 if it does. On a server older than the one\n"
                    "the file was made from, what only one of the two knows is accepted.",
        epilog="examples:\n  tools/schema check                              with an API server of its own\n"
               "  tools/schema check --kubernetes 1.30            with one of another release\n"
               "  tools/schema check --kubeconfig ~/.kube/config  with yours (it must have our crds/); only reads\n"
               "  tools/schema write                              after a new release in tools/kubernetes; review the diff")
    parser.add_argument("command", choices=("write", "check"))
    parser.add_argument("--kubeconfig", metavar="FILE", help="read this server; by default one is started and ended")
    parser.add_argument("--kubectl", help="kubectl to use with --kubeconfig (default: that of PATH, else the one built here)")
    parser.add_argument("--kubernetes", metavar="RELEASE", choices=binaries.kubernetes_releases(),
                        help=f"release to start: {', '.join(binaries.kubernetes_releases())} (default the newest)")
    return parser


def check(kube):
    """The differences between the file and a server, as lines; what was not looked at is said."""
    held = FILE.read_text(encoding="utf-8")
    with step("read the server's types"):
        model, version, pointers = server.model(kube)
    if not pointers:
        say(f"pointers are not compared: there is no Kubernetes {version.rpartition('.')[0]} in tools/kubernetes")
    older = comparison.minor(version) < comparison.minor(text.version(held))
    return comparison.differences(text.read(held), model, older, pointers)


def write(kube):
    """Makes the file."""
    with step("read the server's types"):
        model, version, pointers = server.model(kube)
    if not pointers:
        raise ClusterError(f"write {FILE.name}: the pointers of Kubernetes {version} are not known",
                           f"use a server of {', '.join(binaries.kubernetes_releases())}")
    FILE.write_text(text.write(model, version), encoding="utf-8")
    say(f"wrote {FILE} from Kubernetes {version}")


def _run(options):
    where = server.of_kubeconfig(options.kubeconfig, options.kubectl) if options.kubeconfig else server.of_our_own(
        options.kubernetes)
    with where as kube:
        if options.command == "write":
            write(kube)
            return 0
        found = check(kube)
    print("\n".join(found) if found else f"{FILE.name} is what the server says")
    return 1 if found else 0


def main(arguments):
    """Runs it; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except ClusterError as error:
        say(f"tools/schema: {error.text()}")
    except (kubes.KubeError, document.SchemaError, OSError, ValueError) as error:
        say(f"tools/schema: {error}")
    except KeyboardInterrupt:
        say("tools/schema: interrupted")
        return 130
    return 1
