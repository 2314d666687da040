"""tools/quickstart --kubeconfig: the same on a cluster of the user's, who is told first what will happen."""

import json
import shutil
import sys

from deployment import build, install, kube as kubes
from localcluster import binaries

MANAGER = "quickstart"
PLAN = """On the cluster {server} this will
  - apply the CRDs apiservers, goldmanes, imagesets, installations, tigerastatuses and whiskers (group operator.tigera.io);
  - apply the namespaces tigera-operator and csr-signer with our operator and signer, their service accounts,
    Roles (those for events in the namespace default), ClusterRoles {roles};
  - store the CA {ca} with its key as Secret csr-signer/csr-signer-ca{endpoint};
  - apply Installation default with certificateManagement (signer {signer}). The operator then makes in
    calico-system calico-node and csi-node-driver on every node, calico-typha and calico-kube-controllers, their
    ClusterRoles, CSIDriver csi.tigera.io, and where the API server has them two ValidatingAdmissionPolicies: for the
    names of CertificateSigningRequests of that signer, and for what Calico's service accounts may write to nodes and
    pods.
It needs these images there first; the first three are in {folder}/*.tar:
{images}
Calico itself needs its own CRDs (crd.projectcalico.org) and an IPPool, as README.md says.
Remove it with:
  {removal}"""


class KubectlKube(kubes.Kube):
    """Every request goes through kubectl, which knows each kind of credentials: exec plug-ins, proxies, OIDC."""

    def __init__(self, kubeconfig, kubectl):  # pylint: disable=super-init-not-called
        self.kubeconfig, self.kubectl_program = str(kubeconfig), str(kubectl)
        view = json.loads(self.kubectl("config", "view", "--minify", "-o", "json"))
        self.server = view["clusters"][0]["cluster"]["server"]

    def request(self, method, path, *_, **__):
        if method != "GET":
            raise kubes.KubeError(f"{method} {path}: kubectl passes reads only")
        return json.loads(self.kubectl("get", "--raw", path))

    def get(self, path):
        try:
            return self.request("GET", path)
        except kubes.KubeError as error:
            if "(NotFound)" in str(error) or "could not find the requested resource" in str(error):
                return None
            raise

    def apply(self, path, body, manager=MANAGER):
        text = body if isinstance(body, str) else json.dumps(body)
        self.kubectl("apply", "--server-side", "--force-conflicts", f"--field-manager={manager}", "-f", "-", text=text)
        return self.get(path)


def foreign(kube):
    """What is there already and was not put there by us: applying over it would take it from its owner."""
    looked_at = {
        "Installation default": install.INSTALLATION,
        "Deployment tigera-operator/tigera-operator":
            "/apis/apps/v1/namespaces/tigera-operator/deployments/tigera-operator",
        **{f"CustomResourceDefinition {kind}.operator.tigera.io":
               f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind}.operator.tigera.io"
           for kind in ("apiservers", "goldmanes", "imagesets", "installations", "tigerastatuses", "whiskers")}}
    found = []
    for name, path in looked_at.items():
        metadata = (kube.get(path) or {}).get("metadata", {})
        managers = {entry.get("manager") for entry in metadata.get("managedFields") or []}
        if metadata and not managers & {MANAGER, "calico-operator"}:
            found.append(f"{name} (managed by {', '.join(sorted(filter(None, managers))) or 'nobody known'})")
    return found


def _images(options):
    """The images that must be there, as operator and Installation will name them."""
    own = [build.own_image(options.registry, name) for name in ("calico-operator", "csr-signer")]
    prefix = f"{(options.calico_registry or 'quay.io').rstrip('/')}/{options.calico_image_path or 'calico'}/"
    calico = sorted((prefix + image.rsplit("/", 1)[1] for image in build.release_images().values()),
                    key=lambda image: "key-cert-provisioner" not in image)
    return own + calico


def _specification(options, ca):
    spec = {"certificateManagement": install.certificate_management(ca)}
    if options.calico_registry:
        spec["registry"] = options.calico_registry.rstrip("/") + "/"
    if options.calico_image_path:
        spec["imagePath"] = options.calico_image_path
    return spec


def _agreed(options, kube, ca):
    # The operator takes away last what pods need to end, so it stays until the namespace has gone.
    removal = " && ".join(f"kubectl --kubeconfig {options.kubeconfig} {what}" for what in (
        "delete --ignore-not-found installation default", "wait --for=delete --timeout=5m namespace/calico-system",
        *(f"delete --ignore-not-found -f {install.DIST}/manifests/{name}.yaml" for name in ("signer", "operator", "crds"))))
    print(PLAN.format(
        server=kube.server, folder=install.DIST / "images", ca=ca, signer=install.SIGNER_NAME, removal=removal,
        roles="calico-operator and csr-signer",
        endpoint=f";\n  - tell both the API server's address {options.api_server} (ConfigMap kubernetes-services-endpoint)"
        if options.api_server else "", images="\n".join(f"  {name}" for name in _images(options))))
    others = foreign(kube)
    if others:
        print("There already, and not from here:\n" + "\n".join(f"  {name}" for name in others))
        if not options.take_over:
            print("nothing was done; --take-over applies over them all the same", file=sys.stderr)
            return False
    if not options.yes and (not sys.stdin.isatty() or input("Continue? [y/N] ").strip().lower() not in ("y", "yes")):
        print("nothing was done; --yes goes on without asking", file=sys.stderr)
        return False
    return True


def kubectl_program(named):
    """The kubectl that was named, the one on PATH, or the one that tools/setup built."""
    return named or shutil.which("kubectl") or binaries.resolve(binaries.default_release(None), None).program("kubectl")


def run(options, deploy, main_job):
    """`deploy(kube, ca, key, endpoint)` and `main_job(kube, spec, hints, timeout)` are the quickstart's own steps."""
    kube = KubectlKube(options.kubeconfig, kubectl_program(options.kubectl))
    build.build(options.registry)
    ca, key = install.make_ca(install.DIST / "ca" / "cluster")
    if not _agreed(options, kube, ca):
        return 1
    host, _, port = (options.api_server or "").rpartition(":")
    deploy(kube, ca, key, (host, port) if host else None)
    main_job(kube, _specification(options, ca),
             f"Look around: kubectl --kubeconfig {options.kubeconfig} describe installation default", timeout=900)
    return 0
