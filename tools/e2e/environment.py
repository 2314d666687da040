"""What the end-to-end tests stand on: real clusters, our programs as processes under their real service accounts."""

import atexit
import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.parse

from deployment import build, install, kube as kubes, quickstart
from localcluster import binaries

BIN = install.DIST / "bin"
RELEASE = os.environ.get("CALICO_E2E_KUBERNETES", "")
OPERATOR_USER = "system:serviceaccount:tigera-operator:tigera-operator"
SIGNER_USER = "system:serviceaccount:csr-signer:csr-signer"
# Of the operator that newer_operator() builds: one for every test, since modules that run side by side share Bazel's folder.
NEWER_VERSION = "0.1.99"

# What an uninterrupted install makes; the list that every interrupted one must end with.
RENDERED_KINDS = ("/api/v1/namespaces/calico-system/serviceaccounts", "/api/v1/namespaces/calico-system/configmaps",
                  "/api/v1/namespaces/calico-system/services", "/apis/apps/v1/namespaces/calico-system/daemonsets",
                  "/apis/apps/v1/namespaces/calico-system/deployments", "/apis/policy/v1/namespaces/calico-system/poddisruptionbudgets",
                  "/apis/rbac.authorization.k8s.io/v1/clusterroles", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
                  "/apis/storage.k8s.io/v1/csidrivers",
                  "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
                  "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings")
VOLATILE = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "ownerReferences", "generation")
# Counted by the workload controllers, or a hash that covers the Installation's UID.
VOLATILE_ANNOTATIONS = ("deprecated.daemonset.template.generation", "deployment.kubernetes.io/revision",
                        "operator.tigera.io/applied")


def cluster_command(*words, check=True):
    result = subprocess.run([str(binaries.TOOLS / "cluster"), *words], capture_output=True, text=True, check=False)
    if check and result.returncode != 0:
        raise kubes.KubeError(f"tools/cluster {' '.join(words)}: {result.stderr[-800:]}")
    return result.stdout


class Cluster:
    """One local cluster, made new for a test module and taken down by it."""

    def __init__(self, name, nodes):
        self.name = name
        self.has_nodes = nodes > 0
        cluster_command("down", "--name", name, check=False)
        shape = ["--nodes", str(nodes)] if nodes else ["--control-plane-only"]
        release = ["--kubernetes", RELEASE] if RELEASE else []
        cluster_command("up", "--name", name, *shape, *release)
        self.status = json.loads(cluster_command("status", "--name", name, "-o", "json"))
        self.kube = kubes.Kube(self.status["kubeconfig"], self.status["kubectl"])
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"calico-e2e-{name}-"))
        self.processes = []
        self.ca, self.ca_key = install.make_ca(self.folder)
        atexit.register(self.down)

    @property
    def minor(self):
        return int(self.status["kubernetes"].split(".")[1])

    def down(self):
        atexit.unregister(self.down)
        for process in list(self.processes):
            process.kill()
        cluster_command("down", "--name", self.name, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self, component):
        cluster_command("restart", "--name", self.name, component)

    def endpoint(self):
        return self.status["apiServer"]["host"], self.status["apiServer"]["port"]

    def deploy(self):
        """CRDs, operator and signer manifests, with the CA; images must be loaded for the pods to run. Where none will run,
        Calico's definitions too, which the operator's pod makes."""
        quickstart.deploy(self.kube, self.ca, self.ca_key, self.endpoint())
        if self.has_nodes:
            return
        printed = subprocess.run([str(BIN / "calico-operator"), "--print-calico-crds"], capture_output=True, text=True, check=True)
        self.kube.kubectl("apply", "--server-side", "-f", "-", text=printed.stdout)

    def load_images(self):
        quickstart.load_images(self.name)

    def install(self):
        """The whole product with an Installation of our CA, until it is Available."""
        self.load_images()
        self.deploy()
        self.kube.apply(install.INSTALLATION, install.installation(
            {"certificateManagement": install.certificate_management(self.ca)}))
        install.wait_available(self.kube)

    def audit_writes(self, since, users):
        """Write requests of these users since an audit time stamp, those to leases aside."""
        writes = []
        for event in self.audit_events(since):
            if event["verb"] not in ("create", "update", "patch", "delete", "deletecollection"):
                continue
            reference = event.get("objectRef", {})
            if event["user"]["username"] not in users or reference.get("resource") == "leases":
                continue
            writes.append(f"{event['verb']} {reference.get('resource')} {reference.get('namespace', '')}/{reference.get('name')}")
        return writes

    def audit_events(self, since):
        """Events of stage ResponseComplete after `since` (RFC 3339 with microseconds)."""
        with open(self.status["auditLog"], encoding="utf-8") as log:
            for line in log:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue  # the last line may be half written
                if event["stage"] == "ResponseComplete" and event["stageTimestamp"] >= since:
                    yield event

    def token(self, namespace, account, pod=None, seconds=3600):
        """A token of a service account, bound to `pod` (an object) if given."""
        spec = {"expirationSeconds": seconds}
        if pod:
            spec["boundObjectRef"] = {"kind": "Pod", "apiVersion": "v1", "name": pod["metadata"]["name"],
                                      "uid": pod["metadata"]["uid"]}
        answer = self.kube.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
                                   {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec})
        return answer["status"]["token"]

    def kubeconfig(self, label, token):
        """A kubeconfig file that is this token and nothing else."""
        view = json.loads(self.kube.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
        view["users"] = [{"name": "it", "user": {"token": token}}]
        view["contexts"] = [{"name": "it", "context": {"cluster": view["clusters"][0]["name"], "user": "it"}}]
        view["current-context"] = "it"
        path = self.folder / f"{label}.kubeconfig"
        path.write_text(json.dumps(view), encoding="utf-8")
        path.chmod(0o600)
        return path

    def start(self, label, words, environment=None):
        process = Process(self, label, words, environment or {})
        self.processes.append(process)
        return process

    def start_operator(self, *flags, label="operator", program=None):
        """Our operator as a process of this machine, with exactly the rights of its service account."""
        config = self.kubeconfig(label, self.token("tigera-operator", "tigera-operator", seconds=7200))
        host, port = self.endpoint()
        return self.start(label, [str(program or BIN / "calico-operator"), f"--kubeconfig={config}",
                                  "--metrics-addr=", "--health-addr=", *flags],
                          {"OPERATOR_NAMESPACE": "tigera-operator", "KUBERNETES_SERVICE_HOST": host,
                           "KUBERNETES_SERVICE_PORT": str(port)})

    def start_signer(self, *flags, label="signer"):
        config = self.kubeconfig(label, self.token("csr-signer", "csr-signer", seconds=7200))
        return self.start(label, [str(BIN / "csr-signer"), f"--kubeconfig={config}", f"--signer-name={install.SIGNER_NAME}",
                                  f"--ca-cert={self.ca}", f"--ca-key={self.ca_key}", "--metrics-addr=", "--health-addr=",
                                  *flags], {"POD_NAMESPACE": "csr-signer"})


class Process:
    """A program of ours; its log is kept for the message of a failed test."""

    def __init__(self, cluster, label, words, environment):
        self._cluster, self.label = cluster, label
        self.log = cluster.folder / f"{label}-{time.monotonic_ns()}.log"
        self._file = open(self.log, "wb")
        self.popen = subprocess.Popen(words, stdout=self._file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                      env={"PATH": os.environ["PATH"], "HOME": str(cluster.folder), **environment})

    def kill(self):
        """kill -9."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.wait()

    def terminate(self, timeout=10):
        """SIGTERM; how many seconds it took to end, and its exit code."""
        started = time.monotonic()
        self.popen.terminate()
        self.wait(timeout)
        return time.monotonic() - started, self.popen.returncode

    def wait(self, timeout=60):
        self.popen.wait(timeout)
        self._file.close()
        if self in self._cluster.processes:
            self._cluster.processes.remove(self)
        return self.popen.returncode

    def text(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def peak_mib(self):
        return self._status_mib("VmHWM")

    def rss_mib(self):
        return self._status_mib("VmRSS")

    def _status_mib(self, key):
        status = pathlib.Path(f"/proc/{self.popen.pid}/status").read_text(encoding="utf-8")
        return int(next(line for line in status.splitlines() if line.startswith(key)).split()[1]) / 1024


def newer_operator():
    """Path of an operator that differs in its version only."""
    target = build.PROGRAMS["calico-operator"]
    return build.compile_release([target], [f"CALICO_VERSION={NEWER_VERSION}"])[target]


def bound_pod(cluster, name, account, address=None, namespace="calico-system", phase="Pending"):
    """A Pod that exists and has an address, without any node running it."""
    pod = cluster.kube.request("POST", f"/api/v1/namespaces/{namespace}/pods", {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace},
        "spec": {"serviceAccountName": account, "schedulerName": "nobody", "terminationGracePeriodSeconds": 0,
                 "containers": [{"name": "c", "image": "none"}]}})
    status = {"phase": phase}
    if address:
        status.update({"podIP": address, "podIPs": [{"ip": address}]})
    return cluster.kube.request("PATCH", f"/api/v1/namespaces/{namespace}/pods/{name}/status", {"status": status},
                                "application/merge-patch+json")


def csr_name(pod):
    meta = pod["metadata"]
    return f"{meta['namespace']}:{meta['name']}:{meta['uid'][:6]}"


def csr_path(name, subresource=""):
    return f"{install.CSRS}/{urllib.parse.quote(name, safe='')}" + (f"/{subresource}" if subresource else "")


def provisioner_environment(cluster, pod, directory, token_label, common_name="typha-client", **more):
    """The init container's environment for a process of this machine, with the pod's own token."""
    meta = pod["metadata"]
    token = cluster.token(meta["namespace"], pod["spec"]["serviceAccountName"], pod)
    return {"KUBECONFIG": str(cluster.kubeconfig(token_label, token)), "CERTIFICATE_PATH": str(directory),
            "SECRET_NAME": "node-certs", "SIGNER": install.SIGNER_NAME, "COMMON_NAME": common_name,
            "KEY_ALGORITHM": "", "SIGNATURE_ALGORITHM": "", "KEY_NAME": "tls.key", "CERT_NAME": "tls.crt",
            "CA_CERT_NAME": "ca.crt", "CA_CERT": base64.urlsafe_b64encode(cluster.ca.read_bytes()).decode(),
            "APP_NAME": "calico-system", "DNS_NAMES": common_name, "POD_IP": pod["status"]["podIP"],
            "POD_IPS": pod["status"]["podIP"], "POD_NAME": meta["name"], "POD_NAMESPACE": meta["namespace"],
            "POD_UID": meta["uid"], **more}


def openssl(*words, text=None):
    result = subprocess.run(["openssl", *words], input=text, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def dated_ca(folder, name, constraint, start_days, end_days):
    """PEM of a self-signed certificate with these validity days around now; older openssl has no -not_before."""
    stamp = lambda days: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))
    key, request, certificate = (str(folder / f"dated-{name}.{end}") for end in ("key", "csr", "crt"))
    (folder / "ca.conf").write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\nserial={folder}/serial\n"
                                    f"new_certs_dir={folder}\ndefault_md=sha256\npolicy=p\nx509_extensions=e\n"
                                    f"unique_subject=no\n[p]\ncommonName=supplied\n[e]\nbasicConstraints=critical,{constraint}\n")
    (folder / "index").write_text("")
    (folder / "serial").write_text("01\n")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", request)
    code, said = openssl("ca", "-batch", "-selfsign", "-notext", "-config", str(folder / "ca.conf"), "-keyfile", key,
                         "-in", request, "-startdate", stamp(start_days), "-enddate", stamp(end_days), "-out", certificate)
    if code != 0:
        raise kubes.KubeError(f"openssl ca: {said}")
    with open(certificate, encoding="utf-8") as file:
        return file.read()


def now_rfc3339():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() % 1 * 1e6):06d}Z"


def content(item):
    """An object without its status and what the API server and its controllers count."""
    meta = {key: value for key, value in item["metadata"].items() if key not in VOLATILE}
    meta["annotations"] = {key: value for key, value in meta.get("annotations", {}).items()
                           if key not in VOLATILE_ANNOTATIONS}
    body = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    if "clusterIP" in body.get("spec", {}):
        body["spec"] = {key: value for key, value in body["spec"].items() if not key.startswith("clusterIP")}
    return {"metadata": meta, **body}


def rendered(cluster):
    """Everything that the operator made, without what differs from run to run."""
    result = {}
    for path in RENDERED_KINDS:
        try:
            items = cluster.kube.items(path)
        except kubes.KubeError as error:
            if error.code == 404:
                continue
            raise
        for item in items:
            owners = item["metadata"].get("ownerReferences", [])
            if not any(owner["kind"] == "Installation" for owner in owners):
                continue
            result[f"{path}/{item['metadata']['name']}"] = content(item)
    return result


def difference(before, after):
    """What differs between two answers of rendered(), for a message."""
    return "; ".join(f"{key}: {before.get(key)} became {after.get(key)}"[:1500]
                     for key in sorted(set(before) | set(after)) if before.get(key) != after.get(key))
