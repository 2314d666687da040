"""kubeconfig files, with the certificates in them so that a copy works anywhere."""

import base64
import os

_TEMPLATE = """apiVersion: v1
kind: Config
clusters:
- name: {cluster}
  cluster:
    certificate-authority-data: {ca}
    server: {server}
users:
- name: {user}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
contexts:
- name: {context}
  context:
    cluster: {cluster}
    user: {user}
current-context: {context}
"""


def write(layout, file, path):
    """Writes path (mode 0600) for the client certificate of this file name, through a rename."""

    def data(name):
        return base64.b64encode((layout.pki / name).read_bytes()).decode("ascii")

    cluster = f"calico-operator-{layout.name}"
    text = _TEMPLATE.format(
        cluster=cluster,
        context=cluster if file == "admin" else f"{file}@{cluster}",
        user=f"{cluster}-{file}",
        server=layout.api_url,
        ca=data("ca.crt"),
        certificate=data(f"{file}.crt"),
        key=data(f"{file}.key"),
    )
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="ascii") as out:
        out.write(text)
    temporary.rename(path)
