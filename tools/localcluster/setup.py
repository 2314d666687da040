"""The command line of tools/setup."""

import argparse

from localcluster import binaries, build, packages
from localcluster.errors import ClusterError
from localcluster.progress import say


def _parser():
    parser = argparse.ArgumentParser(
        prog="tools/setup",
        description="Installs what building, testing and running take, and builds Kubernetes and "
        "etcd into ~/.cache/calico-operator (or $CALICO_OPERATOR_CACHE). Safe to run again.",
    )
    releases = binaries.kubernetes_releases()
    parser.add_argument(
        "--check", action="store_true", help="only report; exit status 1 when something is missing"
    )
    parser.add_argument(
        "--kubernetes",
        metavar="RELEASE",
        help=f"the release to build: {', '.join(releases)} (default the newest)",
    )
    return parser


def _check(missing, stale):
    for name in missing:
        say(f"missing: package {name}")
    for product in stale:
        say(f"missing: {product.title} in {product.folder}")
    say("next: run tools/setup" if missing or stale else "everything is there")
    return 1 if missing or stale else 0


def main(arguments):
    """Runs it; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        assets = binaries.assets_folder()
        products = build.products(options.kubernetes or binaries.default_release(assets), assets)
        products.append(build.kube_proxy())
        missing = packages.missing(packages.wanted())
        stale = [product for product in products if not product.is_current()]
        if options.check:
            return _check(missing, stale)
        if missing:
            packages.install(missing)
        for product in stale:
            product.ensure()
    except ClusterError as error:
        say(f"tools/setup: {error.text()}")
        return 1
    except KeyboardInterrupt:
        say("tools/setup: interrupted; run it again to go on")
        return 130
    say("everything is there" if not missing and not stale else "set up")
    return 0
