"""tools/build: release binaries, images and manifests in dist/."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

from localcluster import image_archive, progress

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DIST = ROOT / "dist"
USER = "10001:10001"
PROGRAMS = {
    "calico-operator": "//operator/cmd/operator:calico-operator",
    "csr-signer": "//operator/cmd/signer:csr-signer",
    "key-cert-provisioner": "//operator/cmd/provisioner:key-cert-provisioner",
    "calicert": "//operator/cmd/calicert:calicert",
}
# Further names of a program, which behaves as the name says.
LINKS = {"cfssl": "calicert", "cfssljson": "calicert", "kubectl-calicert": "calicert",
         "kubectl_complete-calicert": "calicert"}
# People carry it from machine to machine.
LIMIT_BYTES = {"calicert": 10_000_000}
# Stand-ins for Calico's images are one binary: component -> its path in the image, links to it. The last part of the
# path that it is called by says what it does.
STANDIN = "//operator/standin:calico"
STANDINS = {
    "node": ("/bin/calico-node", ["/usr/bin/calico-node", "/usr/bin/calico"]),
    "typha": ("/usr/bin/calico-typha", []),
    "cni": ("/opt/cni/bin/install", []),
    "third-party-cni-plugins": ("/usr/bin/third-party-cni-plugins", []),
    "pod2daemon-flexvol": ("/usr/local/bin/flexvol", []),
    "kube-controllers": ("/usr/bin/kube-controllers", ["/usr/bin/check-status"]),
    "csi": ("/usr/bin/csi-driver", []),
    "node-driver-registrar": ("/usr/bin/csi-node-driver-registrar", []),
    "apiserver": ("/code/apiserver", ["/code/filecheck"]),
    "calico": ("/usr/bin/calico", ["/usr/bin/csi-node-driver-registrar"]),
}


def bazel_command(arguments):
    """Honours BAZEL_OUTPUT_BASE, so that a build can go on beside another one."""
    base = os.environ.get("BAZEL_OUTPUT_BASE")
    return ["bazel", *([f"--output_base={base}"] if base else []), *arguments]


def version():
    text = (ROOT / ".bazelrc").read_text(encoding="utf-8")
    return re.search(r"--define=CALICO_VERSION=(\S+)", text).group(1)


def bazel_bin(*flags):
    """The folder of what was built with these flags."""
    info = subprocess.run(bazel_command(["info", *flags, "bazel-bin"]), cwd=ROOT, check=True, capture_output=True, text=True)
    return pathlib.Path(info.stdout.strip())


def compile_release(targets, defines=()):
    """Builds `targets` and returns target -> path of the binary."""
    flags = ["--config=release", *[f"--define={define}" for define in defines]]
    subprocess.run(bazel_command(["build", *flags, *targets]), cwd=ROOT, check=True)
    folder = bazel_bin(*flags)
    return {target: folder / target[2:].replace(":", "/") for target in targets}


def write(path, data):
    """Writes in one step, only when it differs, so that what is up to date keeps its time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_bytes() == data:
        return
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(data)
    temporary.replace(path)


def copy_program(source, name):
    target = DIST / "bin" / name
    write(target, source.read_bytes())
    target.chmod(0o755)


def check_size(name):
    size, limit = (DIST / "bin" / name).stat().st_size, LIMIT_BYTES.get(name)
    if limit and size > limit:
        raise SystemExit(f"build {name}: {size} bytes, the limit is {limit}: leave out what it does not need")


def link_programs():
    for name, program in LINKS.items():
        link = DIST / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(program)


def release_images(release=None):
    """Component -> image of a Calico release (absent: the default one), as the operator names them; of several the
    first, which is the usual one."""
    chosen = [f"--release={release}"] if release else []
    printed = subprocess.run([DIST / "bin/calico-operator", *chosen, "--print-images"], check=True, capture_output=True, text=True)
    found = {}
    for image in printed.stdout.split():
        found.setdefault(image.rsplit("/", 1)[-1].split(":")[0], image)
    return found


def own_image(registry, program):
    return f"{registry.rstrip('/')}/{program}:v{version()}"


def provisioner_image(name):
    path = "/usr/bin/key-cert-provisioner"
    # Its user is chosen by each pod: the main container must be able to read the key.
    return image_archive.archive(name, {path: (DIST / "bin/key-cert-provisioner").read_bytes()}, [path], USER)


def write_images(registry):
    program = lambda name: (DIST / "bin" / name).read_bytes()
    for name in ("calico-operator", "csr-signer"):
        path = f"/usr/bin/{name}"
        write(DIST / "images" / f"{name}.tar",
              image_archive.archive(own_image(registry, name), {path: program(name)}, [path], USER))
    write(DIST / "images/key-cert-provisioner.tar", provisioner_image(release_images()["key-cert-provisioner"]))


def write_standins(release=None):
    """Archives of stand-ins for the images of a Calico release (absent: the default one), and of the init container's
    image where this release has another registry for it."""
    known = release_images(release)
    files = {}
    folder = DIST / "standins" / (release or "default")
    program = (DIST / "standins/program").read_bytes()
    if known["key-cert-provisioner"] != release_images()["key-cert-provisioner"]:
        files["key-cert-provisioner"] = provisioner_image(known["key-cert-provisioner"])
    for component, (path, links) in STANDINS.items():
        if component in known:
            files[component] = image_archive.archive(known[component], {path: program}, [path], "",
                                                     {link: path for link in links})
    if folder.is_dir():
        for path in set(folder.iterdir()) - {folder / f"{name}.tar" for name in files}:
            path.unlink()  # of what was the default before
    for name, data in files.items():
        write(folder / f"{name}.tar", data)
    return sorted(folder / f"{name}.tar" for name in files)


def write_manifests(registry):
    folder = ROOT / "operator/manifests"
    for name, program in (("operator", "calico-operator"), ("signer", "csr-signer")):
        text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
        placeholder = f"{program}:latest"
        if placeholder not in text:
            raise SystemExit(f"build manifest {name}: no image {placeholder} in operator/manifests/{name}.yaml")
        write(DIST / "manifests" / f"{name}.yaml",
              text.replace(placeholder, own_image(registry, program)).encode())
    for name in ("image-pull-secrets", "docker-enterprise"):
        write(DIST / "manifests" / f"{name}.yaml", (folder / f"{name}.yaml").read_bytes())
    crds = [path.read_text(encoding="utf-8").strip() for path in sorted((ROOT / "crds").glob("*.yaml"))]
    write(DIST / "manifests/crds.yaml", ("\n---\n".join(crds) + "\n").encode())


def build(registry, defines=()):
    targets = [*PROGRAMS.values(), STANDIN]
    with progress.step("compile release binaries"):
        binaries = compile_release(targets, defines)
    for name, target in PROGRAMS.items():
        copy_program(binaries[target], name)
        check_size(name)
    link_programs()
    write(DIST / "standins/program", binaries[STANDIN].read_bytes())
    with progress.step("make images and manifests"):
        write_images(registry)
        write_manifests(registry)


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="tools/build", description="Builds release binaries, images and manifests into dist/.",
        epilog="example: tools/build --registry registry.example.com/platform")
    parser.add_argument("--registry", default="localhost/calico-operator",
                        help="put before the names of our own images (default %(default)s)")
    parser.add_argument("--clean", action="store_true", help="empty dist/ first")
    options = parser.parse_args(arguments)
    if options.clean:
        shutil.rmtree(DIST, ignore_errors=True)
    try:
        build(options.registry)
    except subprocess.CalledProcessError as error:
        print(f"error: {' '.join(map(str, error.cmd))} failed\nnext: run tools/setup --check", file=sys.stderr)
        return 1
    for path in sorted(path for path in DIST.glob("*/*") if not path.is_symlink()):
        print(f"{path.stat().st_size / 1e6:8.2f} MB  {path.relative_to(ROOT)}")
    return 0
