"""Folders of recorded cases, and what our operator renders for them."""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import subprocess

from comparison import normal_form

INPUT = "installation-input.yaml"
AFTER = "installation-after.yaml"
WORLD = "world.yaml"
# Not objects that an operator made.
NO_OBJECTS = re.compile(r"^(?:installation-|tigerastatus|world\.yaml$)")
RELEASES = {"v1.44": "v3.33", "v1.43": "v3.33", "v1.42": "v3.32", "v1.32": "v3.27"}
API_SERVER = "10.0.0.1:443"
IMAGE_SET = re.compile(r"\bname: *calico-release-v\d+\.\d+(?![\w.])")
NODES = 3
# The recorded operator's image has some too.
SYSTEM_ROOTS = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")


class CaseError(Exception):
    """A folder that is no case, or a tool that failed."""


@dataclasses.dataclass
class Case:
    folder: pathlib.Path
    release: str
    spec: dict = dataclasses.field(default_factory=dict)
    theirs: list = dataclasses.field(default_factory=list)
    ours: list = dataclasses.field(default_factory=list)
    world: list = dataclasses.field(default_factory=list)
    error: str = ""

    def is_given(self, name):
        """Whether the object of that name is the same for every operator: the text for CNI, a CA of certificateManagement,
        what the user has put there."""
        return name == "cni-config" or (name != "system" and "certificateManagement" in self.spec) or \
            name in (thing["metadata"]["name"] for thing in self.world)

    def name(self):
        return f"{self.folder.parent.name}/{self.folder.name}"

    def files(self):
        return sorted(file for file in self.folder.glob("*.yaml") if not NO_OBJECTS.match(file.name))


def release_of(folder):
    """The Calico release of the operator version in the path, or of the case's own status."""
    for part in reversed(folder.resolve().parts):
        for version, release in RELEASES.items():
            if re.match(re.escape(version) + r"(?![0-9])", part):
                return release
    after = folder / AFTER
    found = re.search(r"calicoVersion: (?:release-)?(v\d+\.\d+)", after.read_text(encoding="utf-8")) if after.is_file() else None
    if found:
        return found.group(1)
    raise CaseError(f"{folder}: no folder above it is named after an operator version ({', '.join(RELEASES)})")


def find(folders):
    """Every case in or below `folders`."""
    cases = []
    for folder in folders:
        path = pathlib.Path(folder)
        inputs = [path / INPUT] if (path / INPUT).is_file() else sorted(path.rglob(INPUT))
        if not inputs:
            raise CaseError(f"{path}: no {INPUT} in it or below")
        cases += [Case(file.parent, release_of(file.parent)) for file in inputs]
    return cases


def read(program, paths):
    """(path -> documents, PEM block -> facts) of YAML and JSON files."""
    result = subprocess.run([str(program), *map(str, paths)], check=False, capture_output=True, text=True)
    if result.returncode != 0:
        raise CaseError(f"{program}: {result.stderr.strip()}")
    parsed = json.loads(result.stdout)
    return parsed["files"], parsed["certificates"]


def api_server(objects):
    """Where the recorded operator was told that the API server is: its own environment, which it gives to calico-node."""
    for thing in objects:
        if thing.get("kind") == "DaemonSet" and thing["metadata"]["name"] == "calico-node":
            env = {entry["name"]: entry.get("value") for entry in thing["spec"]["template"]["spec"]["containers"][0].get("env", [])}
            host, port = env.get("KUBERNETES_SERVICE_HOST"), env.get("KUBERNETES_SERVICE_PORT")
            if host and port:
                return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return API_SERVER


def as_released(path, scratch):
    """The file, or a copy of it in which the ImageSet of a release branch is one of that release."""
    text = path.read_text(encoding="utf-8")
    released = IMAGE_SET.sub(lambda name: normal_form.released(name.group(0)), text)
    if released == text:
        return path
    copy = scratch / "-".join(path.resolve().parts[-3:])
    copy.write_text(released, encoding="utf-8")
    return copy


def bootstrap(objects, world):
    """The Service `kubernetes` and what is behind it, where the recorded calico-node was told of them and the case's world does
    not have them."""
    if any(thing.get("kind") == "Service" and thing["metadata"]["name"] == "kubernetes" for thing in world):
        return []
    told = {}
    for thing in objects:
        if thing.get("kind") == "DaemonSet" and thing["metadata"]["name"] == "calico-node":
            for container in thing["spec"]["template"]["spec"].get("initContainers", []):
                told.update((entry["name"], entry.get("value") or "") for entry in container.get("env", []))
    services = [address.rpartition(":") for address in told.get("KUBERNETES_SERVICE_IPS_PORTS", "").split(",") if address]
    servers = [address.rpartition(":") for address in told.get("KUBERNETES_APISERVER_ENDPOINTS", "").split(",") if address]
    if not services or not servers:
        return []
    slices = [{"kind": "EndpointSlice", "metadata": {"name": f"kubernetes-{index}", "namespace": "default",
                                                     "labels": {"kubernetes.io/service-name": "kubernetes"}},
               "endpoints": [{"addresses": [host.strip("[]")]}], "ports": [{"port": int(port)}]}
              for index, (host, _, port) in enumerate(servers)]
    return [{"kind": "Service", "metadata": {"name": "kubernetes", "namespace": "default"},
             "spec": {"clusterIPs": [host.strip("[]") for host, _, _ in services], "ports": [{"port": int(services[0][2])}]}}, *slices]


def some_roots(scratch):
    """A file with one of this machine's public roots, or None: only that there are some is compared."""
    found = normal_form.PEM.search(SYSTEM_ROOTS.read_text(encoding="utf-8")) if SYSTEM_ROOTS.is_file() else None
    if not found:
        return None
    path = scratch / "roots.pem"
    path.write_text(found.group(0) + "\n", encoding="utf-8")
    return path


def render(operator, case, options, roots, scratch):
    """Our objects for a case; on failure case.error says why."""
    command = [str(operator), "render", "--release", case.release, "--installation", str(as_released(case.folder / INPUT, scratch)),
               "--output", "json", "--show-keys", "--completed", "--nodes", str(options.nodes),
               "--api-server", options.api_server or api_server(case.theirs)]
    if roots:
        command += ["--system-roots", str(roots)]
    if (case.folder / WORLD).is_file():
        command += ["--world", str(as_released(case.folder / WORLD, scratch))]
    if more := bootstrap(case.theirs, case.world):
        path = scratch / f"bootstrap-{case.folder.parent.name}-{case.folder.name}.json"
        path.write_text(json.dumps({"kind": "List", "items": more}), encoding="utf-8")
        command += ["--world", str(path)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env={})
    if result.returncode != 0:
        case.error = result.stderr.strip() or f"exit code {result.returncode}"
        return None
    return result.stdout


def is_default(thing):
    """Not an overlay, which nobody completes."""
    return thing.get("kind") != "Installation" or thing["metadata"]["name"] == "default"


def completed(thing, has_overlay):
    """A recorded Installation with the spec that its operator rendered: with the defaults, and with what an overlay says, which
    `status.computed` alone has."""
    computed = (thing.get("status") or {}).get("computed") if has_overlay else None
    spec = {"spec": computed} if computed else {}
    return {key: value for key, value in thing.items() if key != "status"} | spec


def load(cases, options, scratch):
    """Fills theirs, ours and spec of each case. Returns the facts of all certificates."""
    paths = [file for case in cases for file in [*case.files(), *(case.folder / name for name in (INPUT, AFTER, WORLD))] if file.is_file()]
    files, certificates = read(options.reader, paths)
    for case in cases:
        case.theirs = [thing for file in case.files() for thing in files[str(file)] if isinstance(thing, dict)]
        given = [thing for name in (INPUT, WORLD) for thing in files.get(str(case.folder / name), []) if isinstance(thing, dict)]
        has_overlay = not all(map(is_default, given))
        case.theirs += [completed(thing, has_overlay) for thing in files.get(str(case.folder / AFTER), []) if is_default(thing)]
        case.world = [thing for thing in files.get(str(case.folder / WORLD), []) if isinstance(thing, dict)]
        for thing in files[str(case.folder / INPUT)]:
            if thing.get("kind") == "Installation" and thing["metadata"]["name"] == "default":
                case.spec = thing.get("spec") or {}
    roots = some_roots(scratch)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        texts = list(pool.map(lambda case: render(options.operator, case, options, roots, scratch), cases))
    rendered = {}
    for index, (case, text) in enumerate(zip(cases, texts)):
        if text is not None:
            rendered[scratch / f"{index}.json"] = case
            (scratch / f"{index}.json").write_text(text, encoding="utf-8")
    if rendered:
        files, more = read(options.reader, rendered)
        certificates.update(more)
        for path, case in rendered.items():
            case.ours = files[str(path)][0]["items"]
    return certificates
