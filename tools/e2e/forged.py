"""What an attacker makes himself: requests with any content, under any name, as anybody."""

import base64
import subprocess
import urllib.parse

from deployment import install, kube as kubes
from e2e import environment

USAGES = ["server auth", "client auth", "digital signature", "key agreement", "key encipherment"]


def request_pem(folder, common_name="typha-client", san=("DNS:typha-client", "IP:10.9.0.1"), key="ec", extensions=()):
    """A PKCS#10 made by openssl, with whatever an attacker likes."""
    config = ["[req]", "distinguished_name=dn", "req_extensions=ext", "[dn]", "[ext]"]
    if san:
        config.append("subjectAltName=" + ",".join(san))
    config += list(extensions)
    path = folder / "request.cnf"
    path.write_text("\n".join(config) + "\n", encoding="utf-8")
    kind = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "weak": ["rsa:1024"]}[key]
    made = subprocess.run(["openssl", "req", "-new", "-newkey", *kind, "-nodes", "-subj", f"/CN={common_name}",
                           "-config", str(path), "-keyout", "/dev/null"], check=True, capture_output=True, text=True)
    return made.stdout


def csr(name, pem, usages=None, signer_name=install.SIGNER_NAME, generate=False):
    """A CertificateSigningRequest; `generate`: the API server adds the end of its name."""
    return {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": {"generateName" if generate else "name": name},
            "spec": {"request": base64.b64encode(pem.encode()).decode(), "signerName": signer_name,
                     "usages": usages or USAGES}}


def impersonate(user, group=None, **extra):
    """Headers that make the administrator's request somebody else's; extra: pod_name, pod_uid, node_name."""
    headers = {"Impersonate-User": user}
    if group:
        headers["Impersonate-Group"] = group
    for key, value in extra.items():
        key = f"authentication.kubernetes.io/{key.replace('_', '-')}"
        headers["Impersonate-Extra-" + urllib.parse.quote(key, safe="")] = value
    return headers


def verdict(kube, name, explain):
    """('Denied', 'Failed' or 'Issued', message) once the signer has decided."""
    def decided():
        status = kube.get(environment.csr_path(name)).get("status", {})
        for condition in status.get("conditions", []):
            if condition["type"] in ("Denied", "Failed"):
                return condition["type"], condition["message"]
        return ("Issued", "") if status.get("certificate") else None
    return kubes.wait_for(f"a verdict on {name}", decided, 30, explain=explain)


def attempt(kube, method, path, body=None, content_type="application/json", token=None, headers=None):
    """'' when it was done, else the code and what the API server said."""
    try:
        kube.request(method, path, body, content_type, token=token, headers=headers)
        return ""
    except kubes.KubeError as error:
        return f"{error.code} {error}"
