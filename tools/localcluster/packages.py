"""Debian packages: what tools/packages.txt asks for, what is missing, and how to install it."""

import dataclasses
import os
import pathlib
import shutil
import subprocess

from localcluster import binaries, golang
from localcluster.errors import ClusterError
from localcluster.progress import say, step


@dataclasses.dataclass(frozen=True)
class Package:
    """A package, and the programs that make it unnecessary when all of them are there."""

    name: str
    unless: tuple = ()


def parse(text):
    """The packages of a packages.txt."""
    found = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) > 1 and (words[1] != "unless" or len(words) == 2):
            raise ClusterError(
                f"read tools/packages.txt: cannot understand {line!r}",
                "write: NAME [unless PROGRAM...]",
            )
        found.append(Package(words[0], tuple(words[2:])))
    return found


def wanted():
    """The packages of tools/packages.txt."""
    return parse((binaries.TOOLS / "packages.txt").read_text(encoding="utf-8"))


def _installed(names):
    result = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    return {line.split()[0] for line in result.stdout.splitlines() if line.endswith(" installed")}


def _has_program(program):
    return golang.has_bootstrap() if program == "go" else shutil.which(program) is not None


def missing(packages):
    """The names of those that have to be installed."""
    installed = _installed([package.name for package in packages])
    return [
        package.name
        for package in packages
        if package.name not in installed
        and not (package.unless and all(_has_program(program) for program in package.unless))
    ]


def install(names):
    """Installs packages with apt-get, with sudo when needed."""
    if not pathlib.Path("/etc/debian_version").exists() or not shutil.which("apt-get"):
        raise ClusterError(
            f"install {' '.join(names)}: this is not Debian",
            "install them in this system's own way; Debian 12 is what the project is tested on",
        )
    prefix = []
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise ClusterError(
                f"install {' '.join(names)}: not root, and there is no sudo",
                "run tools/setup as root",
            )
        prefix = ["sudo"]
        say("  installing packages takes root's rights, so sudo may ask for a password")
        subprocess.run(["sudo", "-v"], check=False)
    command = [
        *prefix,
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-q",
        "-o",
        "Dpkg::Use-Pty=0",
        "-o",
        "DPkg::Lock::Timeout=300",
    ]
    say(f"  packages to install: {' '.join(names)}")
    _run("read the package lists", [*command, "update"])
    _run(
        f"install {len(names)} packages",
        [*command, "install", "-y", "--no-install-recommends", *names],
    )


def _run(title, command):
    lines = []
    with step(title, lambda: lines[-1].strip()[:80] if lines else ""):
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            lines.extend(process.stdout)
        if process.returncode != 0:
            raise ClusterError(
                f"run `{' '.join(command)}`:\n{''.join(lines[-15:])}",
                "check the network and /etc/apt/sources.list, then run tools/setup again",
            )
