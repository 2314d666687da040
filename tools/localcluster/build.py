"""Builds Kubernetes, etcd and the pause program into the cache folder.

Each goes into a temporary folder first, which is renamed when it is whole. A stamp in it holds a
hash of what it was built from, so that a changed go.sum or flag builds anew and everything else is
found in no time.
"""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess

from localcluster import binaries, golang, image_archive, images, layout
from localcluster.errors import ClusterError
from localcluster.progress import say, step

_STAMP = "stamp"


class Product:
    """Something in the cache: its folder, what it is made from, and how."""

    def __init__(self, title, folder, programs, inputs):
        self.title, self.folder, self.programs = title, folder, programs
        self._hash = hashlib.sha256("\0".join(inputs).encode()).hexdigest()

    def is_current(self):
        try:
            stamp = (self.folder / _STAMP).read_text(encoding="ascii").strip()
        except OSError:
            return False
        return stamp == self._hash and all(
            (self.folder / program).exists() for program in self.programs
        )

    def ensure(self):
        """Builds it unless it is current; waits when another process is building it."""
        if self.is_current():
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with open(self.folder.parent / ".lock", "w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"  another process is building {self.title}; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.is_current():
                self._replace()

    def _replace(self):
        new = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        self.make(new)
        (new / _STAMP).write_text(self._hash + "\n", encoding="ascii")
        if self.folder.exists():  # running programs keep their files
            old = self.folder.with_name(f"{self.folder.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            self.folder.rename(old)
            shutil.rmtree(old)
        new.rename(self.folder)

    def make(self, folder):
        """Puts the programs into the folder."""
        raise NotImplementedError


class GoProduct(Product):
    """Programs of Go modules that a small module of ours pins."""

    def __init__(self, title, folder, module, packages, ldflags):
        self._module, self._packages = module, packages
        self._flags = ["-trimpath", "-ldflags", f"-s -w {ldflags}".strip()]
        self._go_mod = (module / "go.mod").read_text(encoding="utf-8")
        inputs = [self._go_mod, (module / "go.sum").read_text(encoding="utf-8"), *self._flags]
        super().__init__(title, folder, tuple(packages), inputs)

    def make(self, folder):
        go = golang.find(self._go_mod)
        environment = golang.environment(CGO_ENABLED="0", GOFLAGS="-mod=readonly")
        with step(f"fetch the modules of {self.title}"):
            total = len(
                self._run([go, "list", "-deps", *self._packages.values()], environment).splitlines()
            )
        compiled = []
        with step(f"build {self.title}", lambda: f"{len(compiled)} of at most {total} packages"):
            # All at once when Go itself gives the programs the right names: linking then overlaps
            # compiling.
            if all(
                package.rpartition("/")[2] == program for program, package in self._packages.items()
            ):
                self._compile(
                    go, f"{folder}/", list(self._packages.values()), environment, compiled
                )
            else:
                for program, package in self._packages.items():
                    self._compile(go, folder / program, [package], environment, compiled)

    def _compile(self, go, output, packages, environment, compiled):
        command = [str(go), "build", "-v", *self._flags, "-o", str(output), *packages]
        with subprocess.Popen(
            command,
            cwd=self._module,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            for line in process.stderr:  # with -v one line for every package
                compiled.append(line)
        if process.returncode != 0:
            raise self._error("build", "".join(compiled[-15:]))

    def _run(self, command, environment):
        result = subprocess.run(
            [str(word) for word in command],
            cwd=self._module,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise self._error("fetch", result.stderr[-1500:])
        return result.stdout

    def _error(self, verb, output):
        return ClusterError(
            f"{verb} {self.title}: {output.strip()}",
            "check the network, GOPROXY and the free space, then run it again",
        )


class Pause(Product):
    """The program that only waits, and an image of it."""

    _SOURCE = pathlib.Path(__file__).with_name("pause.c")

    def __init__(self):
        self._code = self._SOURCE.read_text(encoding="utf-8")
        super().__init__(
            "pause",
            binaries.pause_folder(),
            ("pause", "pause.tar"),
            [self._code, images.PAUSE_NAME],
        )

    def make(self, folder):
        compiler = shutil.which("clang-19") or shutil.which("cc")
        if not compiler:
            raise ClusterError("build pause: no C compiler", "run tools/setup")
        result = subprocess.run(
            [
                compiler,
                "-std=c11",
                "-Os",
                "-static",
                "-s",
                "-Wall",
                "-Werror",
                "-D_GNU_SOURCE",
                "-o",
                str(folder / "pause"),
                str(self._SOURCE),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise ClusterError(f"build pause: {result.stderr.strip()[-600:]}", "run tools/setup")
        program = {"/program": (folder / "pause").read_bytes()}
        image = image_archive.archive(images.PAUSE_NAME, program, ["/program"], "65535:65535")
        (folder / "pause.tar").write_bytes(image)


def _version_flags(version):
    """What the programs of Kubernetes say of themselves."""
    major, minor, _ = version.split(".", 2)
    values = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor}
    return " ".join(
        f"-X {package}.{name}={value}"
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for name, value in values.items()
    )


def kubernetes(release):
    """The five programs of a release."""
    version = binaries.kubernetes_version(release)
    packages = {
        program: f"k8s.io/kubernetes/cmd/{program}" for program in binaries.KUBERNETES_PROGRAMS
    }
    return GoProduct(
        f"Kubernetes {version}",
        binaries.kubernetes_folder(release),
        binaries.TOOLS / "kubernetes" / release,
        packages,
        _version_flags(version),
    )


def kube_proxy():
    """kube-proxy of the newest release, which no cluster takes: a test starts it where it needs one.

    A module of its own, so that a change of it does not build the other five anew.
    """
    version = binaries.kube_proxy_version()
    return GoProduct(
        f"kube-proxy {version}",
        binaries.kube_proxy_folder(),
        binaries.TOOLS / "kubeproxy",
        {"kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy"},
        _version_flags(version),
    )


def etcd():
    """etcd and etcdctl."""
    packages = {"etcd": "go.etcd.io/etcd/server/v3", "etcdctl": "go.etcd.io/etcd/etcdctl/v3"}
    return GoProduct(
        f"etcd {binaries.etcd_version()}",
        binaries.etcd_folder(),
        binaries.TOOLS / "etcd",
        packages,
        "",
    )


def products(release, assets):
    """Everything that a cluster of a release takes, apart from what the folder assets has."""

    def has(programs):
        return assets is not None and all((assets / program).exists() for program in programs)

    found = [Pause()]
    if not has(["etcd"]):
        found.append(etcd())
    if not has(binaries.KUBERNETES_PROGRAMS):
        found.append(kubernetes(release))
    return found


def ensure(release, assets):
    """Builds what is missing for a release."""
    layout.cache_folder().mkdir(parents=True, exist_ok=True)
    for product in products(release, assets):
        product.ensure()
