"""Certificates and keys of a cluster, made with the openssl command; all keys are P-256."""

import concurrent.futures
import dataclasses
import subprocess

from localcluster.errors import ClusterError

_CONFIG = "[req]\ndistinguished_name = name\nstring_mask = utf8only\n[name]\n"
_DAYS = "3650"


@dataclasses.dataclass(frozen=True)
class Leaf:
    """A certificate to make: file name, issuing CA, subject, names and usages."""

    file: str
    ca: str
    subject: str
    usages: str  # of the extendedKeyUsage extension
    names: tuple = ()  # "DNS:…" and "IP:…"


def _openssl(*arguments):
    result = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ClusterError(
            f"run openssl {arguments[0]}: {result.stderr.strip()[-400:]}",
            "tools/setup --check tells what is missing",
        )


def _request(folder, file, subject, extensions, signer):
    words = [
        "req",
        "-x509",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-noenc",
        "-sha256",
        "-config",
        str(folder / "openssl.cnf"),
        "-days",
        _DAYS,
        "-subj",
        subject,
    ]
    for extension in extensions:
        words += ["-addext", extension]
    new_key, new_certificate = folder / f"{file}.key.new", folder / f"{file}.crt.new"
    _openssl(*words, *signer, "-keyout", str(new_key), "-out", str(new_certificate))
    new_key.rename(folder / f"{file}.key")
    new_certificate.rename(folder / f"{file}.crt")  # last: its presence says that both are whole


def _make_ca(folder, file):
    if not (folder / f"{file}.crt").exists():
        _request(
            folder,
            file,
            f"/CN=calico-operator local {file}",
            [
                "basicConstraints=critical,CA:TRUE",
                "keyUsage=critical,digitalSignature,keyCertSign,cRLSign",
                "subjectKeyIdentifier=hash",
            ],
            [],
        )


def _make_leaf(folder, leaf):
    if (folder / f"{leaf.file}.crt").exists():
        return
    extensions = [
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature",
        f"extendedKeyUsage={leaf.usages}",
        "subjectKeyIdentifier=hash",
        "authorityKeyIdentifier=keyid",
    ]
    if leaf.names:
        extensions.append("subjectAltName=" + ",".join(leaf.names))
    signer = ["-CA", str(folder / f"{leaf.ca}.crt"), "-CAkey", str(folder / f"{leaf.ca}.key")]
    _request(folder, leaf.file, leaf.subject, extensions, signer)


def _make_token_key(folder):
    if not (folder / "service-account.pub").exists():
        key = str(folder / "service-account.key")
        _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        _openssl("pkey", "-in", key, "-pubout", "-out", str(folder / "service-account.pub"))


def control_plane_leaves(layout):
    """What the control plane and the administrator need."""
    both, server, client = "serverAuth,clientAuth", "serverAuth", "clientAuth"
    api_names = (
        "DNS:kubernetes",
        "DNS:kubernetes.default",
        "DNS:kubernetes.default.svc",
        "DNS:kubernetes.default.svc.cluster.local",
        "DNS:localhost",
        f"IP:{layout.address}",
        f"IP:{layout.service_address}",
        "IP:127.0.0.1",
    )
    here = ("DNS:localhost", f"IP:{layout.address}", "IP:127.0.0.1")
    return [
        Leaf("etcd", "etcd-ca", "/CN=etcd", both, here),
        Leaf("etcd-client", "etcd-ca", "/CN=kube-apiserver-etcd-client", client),
        Leaf("apiserver", "ca", "/CN=kube-apiserver", server, api_names),
        Leaf(
            "apiserver-kubelet-client",
            "ca",
            "/O=system:masters/CN=kube-apiserver-kubelet-client",
            client,
        ),
        Leaf("front-proxy-client", "front-proxy-ca", "/CN=front-proxy-client", client),
        Leaf("controller-manager", "ca", "/CN=system:kube-controller-manager", both, here),
        Leaf("scheduler", "ca", "/CN=system:kube-scheduler", both, here),
        Leaf("admin", "ca", "/O=system:masters/CN=admin", client),
    ]


def node_leaves(node):
    """What a kubelet needs: one certificate as a client, one as a server."""
    user = f"/O=system:nodes/CN=system:node:{node.name}"
    return [
        Leaf(f"{node.name}-client", "ca", user, "clientAuth"),
        Leaf(
            f"{node.name}-server",
            "ca",
            user,
            "serverAuth",
            (f"DNS:{node.name}", f"IP:{node.address}"),
        ),
    ]


def ensure(layout, leaves):
    """Makes the CAs, the service account key and these certificates, as far as they are missing."""
    folder = layout.pki
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "openssl.cnf").write_text(_CONFIG, encoding="ascii")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda file: _make_ca(folder, file), ["ca", "etcd-ca", "front-proxy-ca"]))
        jobs = [pool.submit(_make_token_key, folder)]
        jobs += [pool.submit(_make_leaf, folder, leaf) for leaf in leaves]
        for job in jobs:
            job.result()
