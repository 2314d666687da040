"""What Tigera's operator has left in a cluster: a recorded case, written as it writes, with key pairs of this run."""

import base64
import hashlib
import json
import subprocess

from deployment import install, kube as kubes
from localcluster import binaries

REFERENCE = binaries.TOOLS.parent / "testdata" / "reference"
MANAGER = "operator"
PREFIX = "tigera-operator.hash.operator.tigera.io/"
# What stands in the records for the public roots.
ROOTS = "the system's roots"
PAIRS = {"node-certs": "typha-client", "typha-certs": "typha-server",
         "typha-certs-noncluster-host": "typha-server-noncluster-host"}


def annotation_hash(text):
    """SHA-1 of a text as Go quotes it."""
    return hashlib.sha1(json.dumps(text, ensure_ascii=False).encode()).hexdigest()


def _openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Pairs:
    """A CA of the form of Tigera's operator, and the pairs that it signs."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = self._make("ca", "tigera-operator-signer", ca=True)
        self.leaves = {name: self._make(name, common_name) for name, common_name in PAIRS.items()}

    def _make(self, name, common_name, ca=False):
        """(certificate, key) as PEM; of a leaf followed by the CA's."""
        key, request, certificate, config = (str(self.folder / f"former-{name}.{end}") for end in ("key", "csr", "crt", "cnf"))
        _openssl("genrsa", "-traditional", "-out", key, "2048")
        extensions = (["basicConstraints=critical,CA:TRUE", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign",
                       "subjectKeyIdentifier=hash"] if ca else
                      ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature,keyEncipherment",
                       "extendedKeyUsage=serverAuth,clientAuth", f"subjectAltName=DNS:{common_name}",
                       "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"])
        with open(config, "w", encoding="utf-8") as file:
            file.write("[req]\ndistinguished_name=dn\n[dn]\n[ext]\n" + "\n".join(extensions) + "\n")
        if ca:
            _openssl("req", "-x509", "-new", "-key", key, "-subj", f"/CN={common_name}", "-days", "3650", "-config", config,
                     "-extensions", "ext", "-out", certificate)
        else:
            _openssl("req", "-new", "-key", key, "-subj", f"/CN={common_name}", "-config", config, "-out", request)
            _openssl("x509", "-req", "-in", request, "-CA", str(self.folder / "former-ca.crt"), "-CAkey",
                     str(self.folder / "former-ca.key"), "-CAcreateserial", "-days", "825", "-extfile", config, "-extensions",
                     "ext", "-out", certificate)
        read = lambda path: open(path, encoding="utf-8").read()
        return (read(certificate) + ("" if ca else self.ca[0]), read(key))

    def of(self, name):
        return self.ca if name == "tigera-ca-private" else self.leaves[name]


def _replace_hashes(node, hashes):
    """Every annotation of these names, wherever it is."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in hashes and isinstance(value, str) and len(value) == 40:
                node[key] = hashes[key]
            else:
                _replace_hashes(value, hashes)
    elif isinstance(node, list):
        for item in node:
            _replace_hashes(item, hashes)


def _own_pairs(items, pairs):
    """Puts this run's key pairs in the place of the recorded ones, whose keys are not in the records."""
    old = None
    for item in items:
        if item["kind"] == "Secret" and item["metadata"]["name"] == "tigera-ca-private":
            old = base64.b64decode(item["data"]["tls.crt"]).decode()
    roots = {"hash.operator.tigera.io/system": annotation_hash(ROOTS)}
    if old is None:
        _replace_hashes(items, roots)
        return
    hashes = {PREFIX + "tigera-ca-private": annotation_hash(pairs.ca[0]), **roots}
    for name in PAIRS:
        hashes[PREFIX + name] = annotation_hash(annotation_hash(pairs.of(name)[0]))
    for item in items:
        _replace_hashes(item, hashes)
        name = item["metadata"]["name"]
        if item["kind"] == "Secret" and (name in PAIRS or name == "tigera-ca-private"):
            certificate, key = pairs.of(name)
            item["data"] = {"tls.crt": base64.b64encode(certificate.encode()).decode(),
                            "tls.key": base64.b64encode(key.encode()).decode()}
        if item["kind"] == "ConfigMap" and name == "tigera-ca-bundle":
            item["data"] = {key: text.replace(old, pairs.ca[0]) for key, text in item["data"].items()}


def read(kube, path):
    """Objects of a YAML file."""
    text = kube.kubectl("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", str(path))
    text = text.replace(":release-v3.33", ":v3.33.1")  # recorded from the release's branch
    decoder, objects, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        value, end = decoder.raw_decode(text, at)
        objects += value["items"] if value["kind"] == "List" else [value]
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return objects


def paths(kube):
    """kind -> (path of its group and version, plural, whether it is namespaced)."""
    known = {}
    for version in ("/api/v1", "/apis/apps/v1", "/apis/rbac.authorization.k8s.io/v1", "/apis/policy/v1", "/apis/storage.k8s.io/v1",
                    "/apis/networking.k8s.io/v1", "/apis/apiregistration.k8s.io/v1", "/apis/crd.projectcalico.org/v1",
                    "/apis/operator.tigera.io/v1"):
        for resource in kube.request("GET", version)["resources"]:
            if "/" not in resource["name"]:
                known.setdefault(resource["kind"], (version, resource["name"], resource["namespaced"]))
    return known


class Former:
    """The cluster as Tigera's operator leaves it, of one recorded case."""

    def __init__(self, cluster, case, version, pairs):
        self.kube = cluster.kube
        folder = REFERENCE / case
        self.known = paths(self.kube)
        installation = read(self.kube, folder / "installation-after.yaml")[0]
        assert installation["kind"] == "Installation", case
        installation.pop("status", None)
        installation["metadata"] = {"name": "default", "finalizers": ["tigera.io/operator-cleanup"]}
        self.installation = self._create(installation)
        self.objects = [item for item in read(self.kube, folder / "objects.yaml")
                        if item["kind"] in self.known and item["kind"] not in ("Installation", "TigeraStatus")]
        _own_pairs(self.objects, pairs)
        for item in self.objects:
            if item["kind"] == "Service":  # another cluster has other addresses
                item["spec"] = {key: value for key, value in item["spec"].items() if not key.startswith("clusterIP")}
        self.kube.merge(f"{install.INSTALLATION}/status", {"status": {"calicoVersion": version, "variant": "Calico"}})
        if not self.kube.get("/api/v1/namespaces/tigera-operator"):
            install.namespace(self.kube, "tigera-operator")
        for item in self.objects:
            for owner in item["metadata"].get("ownerReferences", []):
                owner["uid"] = self.installation["metadata"]["uid"]
        for item in sorted(self.objects, key=lambda item: item["kind"] != "Namespace"):
            self._create(item)

    def path(self, item):
        version, plural, namespaced = self.known[item["kind"]]
        space = f"/namespaces/{item['metadata']['namespace']}" if namespaced else ""
        return f"{version}{space}/{plural}"

    def _create(self, item):
        """As the operator does: create, else a whole update, anew when somebody has written meanwhile."""
        one = f"{self.path(item)}/{item['metadata']['name']}"
        for left in reversed(range(10)):
            live = self.kube.get(one)
            try:
                if live is None:
                    return self.kube.request("POST", f"{self.path(item)}?fieldManager={MANAGER}", item)
                return self._update(item, one, live)
            except kubes.KubeError as error:
                if error.code != 409 or not left:
                    raise

    def _update(self, item, one, live):
        body = json.loads(json.dumps(item))
        meta = body["metadata"]
        meta["resourceVersion"], meta["uid"] = live["metadata"]["resourceVersion"], live["metadata"]["uid"]
        # Labels and annotations of others stay, what names an operator's own does not.
        for field in ("labels", "annotations"):
            others = {key: value for key, value in live["metadata"].get(field, {}).items() if "operator.tigera.io" not in key}
            meta[field] = {**others, **meta.get(field, {})}
        if item["kind"] == "Service":
            body["spec"].update({key: live["spec"][key] for key in ("clusterIP", "clusterIPs") if key in live["spec"]})
        if item["kind"] == "Deployment":
            body["spec"].setdefault("replicas", live["spec"].get("replicas"))
        if item["kind"] == "ServiceAccount":
            body.update({key: live[key] for key in ("secrets", "imagePullSecrets") if key in live})
        return self.kube.request("PUT", f"{one}?fieldManager={MANAGER}", body)

    def write_again(self):
        """The way back: Tigera's operator finds its objects and updates each one."""
        for item in self.objects:
            self._create(item)

    def live(self):
        """path -> object, of all that this case has."""
        found = {}
        for item in [self.installation, *self.objects]:
            one = f"{self.path(item)}/{item['metadata']['name']}"
            found[one] = self.kube.get(one)
        return found
