"""The steps that the quickstart and the end-to-end tests share: CA, manifests, Installation, waiting."""

import base64
import os
import pathlib
import subprocess

from deployment import kube as kubes

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DIST = ROOT / "dist"
SIGNER_NAME = "example.com/signer"
INSTALLATION = "/apis/operator.tigera.io/v1/installations/default"
STATUS = "/apis/operator.tigera.io/v1/tigerastatuses/calico"
CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


def make_ca(folder, name="example-ca", days=3650, extra=()):
    """(certificate path, key path) of a P-256 CA in `folder`, made once."""
    folder = pathlib.Path(folder)
    certificate, key = folder / "ca.crt", folder / "ca.key"
    if not certificate.exists():
        folder.mkdir(parents=True, exist_ok=True)
        old = os.umask(0o077)
        try:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-subj", f"/CN={name}", "-days", str(days), "-addext", "basicConstraints=critical,CA:TRUE",
                            "-addext", "keyUsage=critical,keyCertSign,cRLSign", *extra,
                            "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
        finally:
            os.umask(old)
    return certificate, key


def manifest(name):
    return (DIST / "manifests" / f"{name}.yaml").read_text(encoding="utf-8")


def api_endpoint(kube, host, port):
    """Tells pods, of the host's network and of their own, where the API server is when there is no kube-proxy."""
    for namespace in ("tigera-operator", "csr-signer"):
        kube.apply(f"/api/v1/namespaces/{namespace}/configmaps/kubernetes-services-endpoint", {
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "kubernetes-services-endpoint", "namespace": namespace},
            "data": {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port),
                     "KUBERNETES_SERVICE_HOST_POD_NETWORK": host, "KUBERNETES_SERVICE_PORT_POD_NETWORK": str(port)}})


def namespace(kube, name):
    kube.apply(f"/api/v1/namespaces/{name}", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def decode(text):
    """Base64 of text."""
    return base64.b64decode(text).decode()


def ca_secret(kube, certificate, key):
    encode = lambda path: base64.b64encode(pathlib.Path(path).read_bytes()).decode()
    kube.apply("/api/v1/namespaces/csr-signer/secrets/csr-signer-ca", {
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "csr-signer-ca", "namespace": "csr-signer"},
        "data": {"tls.crt": encode(certificate), "tls.key": encode(key)}})


def apply_manifests(kube, *names):
    served = kube.get("/apis/admissionregistration.k8s.io/v1") or {}
    has_policies = any(kind["name"] == "validatingadmissionpolicies" for kind in served.get("resources", []))
    for name in names:
        text = manifest(name)
        if not has_policies:  # Kubernetes 1.29 and older
            text = without_policies(text)
        kube.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=quickstart", "-f", "-", text=text)


def without_policies(text):
    return "\n---\n".join(part for part in text.split("\n---\n") if "\nkind: ValidatingAdmissionPolicy" not in part)


def wait_for_crds(kube):
    """Until the API server answers for each of our kinds. A definition that is deleted before it has done so once stays
    in termination for good: Kubernetes 1.37 does not try again to list its objects."""
    def established():
        found = [crd for crd in kube.items("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
                 if crd["spec"]["group"] == "operator.tigera.io"]
        ready = [crd for crd in found if any(c["type"] == "Established" and c["status"] == "True"
                                             for c in crd.get("status", {}).get("conditions") or [])]
        names = {crd["metadata"]["name"] for crd in ready}
        if len(ready) < len(found) or not {"installations.operator.tigera.io", "tigerastatuses.operator.tigera.io"} <= names:
            return False
        # The API server prepares its storage at the first request, and sends who comes meanwhile away for a second.
        return all(kube.get(f"/apis/operator.tigera.io/v1/{crd['spec']['names']['plural']}") for crd in ready)
    kubes.wait_for("CRDs established", established, 30)


def certificate_management(ca_certificate, **more):
    pem = pathlib.Path(ca_certificate).read_bytes()
    return {"caCert": base64.b64encode(pem).decode(), "signerName": SIGNER_NAME, **more}


def installation(spec):
    return {"apiVersion": "operator.tigera.io/v1", "kind": "Installation", "metadata": {"name": "default"}, "spec": spec}


def conditions(kube):
    """TigeraStatus calico's conditions by type; empty when there are none yet."""
    found = kube.get(STATUS) or {}
    return {c["type"]: c for c in found.get("status", {}).get("conditions") or []}


def is_available(kube):
    """Available for the Installation as it is now."""
    found = conditions(kube)
    generation = (kube.get(INSTALLATION) or {}).get("metadata", {}).get("generation")
    return (all(found.get(kind, {}).get("status") == wanted
                for kind, wanted in (("Available", "True"), ("Progressing", "False"), ("Degraded", "False")))
            and all(found[kind].get("observedGeneration") == generation for kind in found))


def explain(kube):
    """Why it is not available, for a message."""
    lines = [f"{kind}={c['status']} {c.get('reason', '')} {c.get('message', '')}" for kind, c in conditions(kube).items()]
    for pod in kube.items("/api/v1/namespaces/calico-system/pods"):
        statuses = pod["status"].get("initContainerStatuses", []) + pod["status"].get("containerStatuses", [])
        waiting = [f"{s['name']}:{list(s['state'])[0]}:{list(s['state'].values())[0].get('reason', '')}" for s in statuses]
        lines.append(f"pod {pod['metadata']['name']} {pod['status'].get('phase')} {' '.join(waiting)}")
    return "; ".join(lines)


def wait_available(kube, timeout=240):
    kubes.wait_for("TigeraStatus calico Available", lambda: is_available(kube), timeout, explain=lambda: explain(kube))
