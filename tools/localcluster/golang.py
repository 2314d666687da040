"""A Go that is new enough: the machine's, or one fetched as a Go module with any older Go."""

import os
import pathlib
import re
import shutil
import subprocess

from localcluster import image_archive
from localcluster.errors import ClusterError
from localcluster.progress import step

# Settings of the user's that are meant for another Go or another target.
_FOREIGN = (
    "GOROOT",
    "GOOS",
    "GOARCH",
    "GOAMD64",
    "GOEXPERIMENT",
    "GOFLAGS",
    "GOWORK",
    "GOTOOLDIR",
    "GOBIN",
)
_BOOTSTRAP = pathlib.Path("/usr/lib/go-1.19/bin/go")  # Debian's golang-1.19-go is not on the PATH


def environment(**settings):
    """The caller's environment without what would bend a build, and with these settings.

    Go does not fetch another Go by itself in it.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return {**kept, "GO111MODULE": "on", "GOTOOLCHAIN": "local", "GOWORK": "off", **settings}


def parse_version(text):
    """'go version go1.26.8 …' -> (1, 26, 8); None without a version (a development build)."""
    match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else None


def required_go(go_mod):
    """The `go` line of a go.mod, as (text, tuple)."""
    match = re.search(r"^go (\S+)$", go_mod, re.MULTILINE)
    if not match:
        raise ClusterError("read go.mod: it has no go line")
    return match.group(1), parse_version(match.group(1))


def _version(program):
    try:
        result = subprocess.run(
            [program, "version"],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_version(result.stdout)


def _toolchain_folder(bootstrap, version):
    modules = subprocess.run(
        [bootstrap, "env", "GOMODCACHE"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    ).stdout.strip()
    name = f"toolchain@v0.0.1-go{version}.linux-{image_archive.go_architecture()}"
    return pathlib.Path(modules) / "golang.org" / name


def has_bootstrap():
    """Whether some Go is there, new enough to fetch another."""
    return any(_version(program) for program in (shutil.which("go"), _BOOTSTRAP) if program)


def find(go_mod):
    """The path of a Go that builds the module with this go.mod; fetches one where none is there."""
    text, wanted = required_go(go_mod)
    installed = shutil.which("go")
    if installed and (_version(installed) or (0, 0, 0)) >= wanted:
        return pathlib.Path(installed)
    bootstrap = (
        installed if installed and (_version(installed) or (0, 0, 0)) >= (1, 17, 0) else _BOOTSTRAP
    )
    if not pathlib.Path(bootstrap).exists():
        raise ClusterError(
            "find Go: none is installed", "run tools/setup, which installs golang-1.19-go"
        )
    folder = _toolchain_folder(bootstrap, text)
    program = folder / "bin" / "go"
    if not _version(program):
        with step(f"get Go {text}"):
            _download(bootstrap, folder)
    return program


def _download(bootstrap, folder):
    module = "golang.org/" + folder.name
    result = subprocess.run(
        [bootstrap, "mod", "download", module],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=environment(GOFLAGS="-mod=mod"),
    )
    if result.returncode != 0:
        raise ClusterError(
            f"get {module}: {result.stderr.strip()[-300:]}",
            "check the network and GOPROXY, then run tools/setup again",
        )
    # Modules are unpacked without their execute bits.
    for pattern in ("bin/*", "pkg/tool/*/*"):
        for program in folder.glob(pattern):
            program.chmod(0o755)
