"""Installations and Secrets with something wrong in them, through a real API server to a running operator: it stays up, leaves what runs
alone while something is wrong, says what and where, and goes on with the next good one."""

import base64
import collections
import hashlib
import itertools
import json
import re
import signal
import time
import unittest

from deployment import build, install, kube as kubes
from e2e import environment
from e2e.environment import openssl
from mutations import generator, offline, starts

SEED = 20261128
COUNT = 200
RENDERED = 300
READER, RENDERER = "//tools/comparison:read_objects", "//operator/offline/testing:render_lines"
WORKLOADS = ("/apis/apps/v1/daemonsets", "/apis/apps/v1/deployments")
DRY_RUN = "dry-run"
PATH = re.compile(r"spec\.[A-Za-z0-9.]*")
# Fields that decide about each other: a change of one makes another one wrong.
TOGETHER = ({"cni", "calicoNetwork", "kubernetesProvider", "logging", "azure", "nonPrivileged", "fipsMode"},
            {"nodeMetricsPort", "typhaMetricsPort"}, {"registry", "imagePath", "imagePrefix"})
LONGEST_MESSAGE = 16000
SECRETS, COPIES = (f"/api/v1/namespaces/{namespace}/secrets" for namespace in ("tigera-operator", "calico-system"))
CA, PAIR = f"{SECRETS}/tigera-ca-private", f"{SECRETS}/typha-certs"
OTHERS = (f"{SECRETS}/node-certs", f"{COPIES}/node-certs", f"{COPIES}/typha-certs")


def setUpModule():
    global cluster, operator, generate, good
    cluster = environment.Cluster("mutations", nodes=0)
    cluster.deploy()
    install.apply_manifests(cluster.kube, "image-pull-secrets")
    reader = program(READER)
    good = starts.load(reader)
    for name in sorted({one["metadata"]["name"] for start in good for one in start.world if one.get("type")}):
        pull_secret(name)
    install.namespace(cluster.kube, DRY_RUN)
    put(base())
    operator = cluster.start_operator("--leader-elect=false")
    judged(put(base()))
    generate = generator.Generator(good, starts.schema(reader), SEED)


def tearDownModule():
    cluster.down()


def program(target):
    """Builds a program of the tests; its path."""
    return build.compile_release([target])[target]


def pull_secret(name):
    cluster.kube.apply(f"/api/v1/namespaces/tigera-operator/secrets/{name}", {
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": name, "namespace": "tigera-operator"}, "data": {".dockerconfigjson": "eyJhdXRocyI6e319"}})


def base():
    """What everything comes back to."""
    return {"certificateManagement": install.certificate_management(cluster.ca)}


def put(spec):
    """Replaces the whole spec; the new generation. KubeError when the API server refuses."""
    while True:
        current = cluster.kube.get(install.INSTALLATION)
        wanted = {**(current or install.installation({})), "spec": spec}
        method, path = ("PUT", install.INSTALLATION) if current else ("POST", install.INSTALLATION.rpartition("/")[0])
        try:
            return cluster.kube.request(method, path, wanted)["metadata"]["generation"]
        except kubes.KubeError as error:
            if error.code != 409:
                raise


def judged(generation):
    """The condition Degraded once all three are about this generation."""
    def found():
        conditions = install.conditions(cluster.kube)
        return len(conditions) == 3 and all(c.get("observedGeneration") == generation for c in conditions.values()) and conditions["Degraded"]
    return kubes.wait_for(f"a status of generation {generation}", found, 15, interval=0.02,
                          explain=lambda: json.dumps(install.conditions(cluster.kube)) + operator.text()[-800:])


def workloads():
    """(generation, hash of the pods' template) of every workload that the operator made."""
    result = {}
    for path in WORKLOADS:
        for item in cluster.kube.items(path):
            if any(owner["kind"] == "Installation" for owner in item["metadata"].get("ownerReferences", [])):
                text = json.dumps(item["spec"]["template"], sort_keys=True)
                result[f"{path}/{item['metadata']['name']}"] = (item["metadata"]["generation"], hashlib.sha256(text.encode()).hexdigest())
    return result


def settled():
    """The workloads once nothing follows any more: pools that a valid Installation asks for are written after them, and change
    what CNI is told."""
    seen = [workloads()]
    def found():
        time.sleep(0.3)
        seen.append(workloads())
        return seen[-1] == seen[-2]
    kubes.wait_for("workloads that stay", found, 15, interval=0)
    return seen[-1]


def first_field(path):
    """spec.calicoNetwork.mtu -> calicoNetwork."""
    return re.split(r"[.\[]", path.removeprefix("spec."))[0]


def is_about(message, mutation):
    """Whether the message names a field that was changed, or one that the change makes wrong."""
    named = {first_field(path) for path in PATH.findall(message)}
    touched = {first_field(change.path) for change in mutation.changes}
    for group in TOGETHER:
        if touched & group:
            touched |= group
    return bool(named & touched)


class MutationsTest(unittest.TestCase):

    def test_1_installations_with_something_wrong(self):
        """A start that the operator takes, and one or more changes."""
        accepted = self.starts()
        pid, before, count, slow = operator.popen.pid, workloads(), collections.Counter(), 0.0
        self.assertGreater(len(before), 1)
        generate.starts = accepted
        for number in range(COUNT):
            mutation = generate.make(number)
            with self.subTest(str(mutation)):
                started = time.monotonic()
                try:
                    what, before = self.one(mutation, before)
                except AssertionError as error:
                    before = workloads()
                    raise AssertionError(f"{error}\n{mutation}\n{json.dumps(mutation.spec)[:6000]}") from error
                finally:
                    slow = max(slow, time.monotonic() - started)
                count[what] += 1
        print(f"  {dict(count)}, the slowest took {slow:.1f} s")
        self.assertEqual(operator.popen.pid, pid)
        # Each of the three is really tried.
        self.assertGreater(min(count["refused by the API server"], count["degraded"], count["applied"]), COUNT // 20, count)
        self.assertEqual(judged(put(base()))["status"], "False")
        self.settles()

    def starts(self):
        """The starts that the operator takes as they are. Pools outlive the spec that asked for them, and another CNI plug-in
        does not take those of an overlay network: what clouds have is tried offline."""
        accepted = []
        for start in good:
            if start.spec.get("cni", {}).get("type", "Calico") != "Calico":
                continue
            condition = judged(put(start.spec))
            if condition["status"] == "False":
                accepted.append(start)
        names = {start.name for start in accepted}
        self.assertLessEqual({"overrides", "network", "hosts", "everything", "openshift"}, names, operator.text()[-3000:])
        return accepted

    def one(self, mutation, before):
        """Applies it; what came of it, and the workloads as they are now."""
        try:
            generation = put(mutation.spec)
        except kubes.KubeError as error:
            self.assertIn(error.code, (400, 413, 422), error)
            return "refused by the API server", before
        condition = judged(generation)
        self.assertIsNone(operator.popen.poll(), f"the operator ended: {operator.text()[-3000:]}")
        if condition["status"] == "False":
            return "applied", settled()
        now = workloads()
        message = condition["message"]
        self.assertIn(condition["reason"], ("InvalidConfigurationError", "ResourceNotFound"), message)
        self.assertEqual(now, before, f"changed although Degraded: {message}")
        self.assertTrue(is_about(message, mutation), message)
        self.assertLess(len(message), LONGEST_MESSAGE)
        self.assertNotRegex(message, offline.QUOTED_CERTIFICATE, "the status quotes a certificate")
        return "degraded", now

    def settles(self):
        """What is applied is not written again and again."""
        before = workloads()
        time.sleep(2)
        self.assertEqual(workloads(), before)

    def test_2_what_is_rendered_of_a_valid_one_is_taken_by_the_api_server(self):
        """Every release; the rules must not let through what the API server refuses afterwards."""
        renderer = offline.Renderer(program(RENDERER))
        self.addCleanup(renderer.close)
        generate.starts = good
        known, tried, wrong = set(), 0, []
        for number in range(RENDERED):
            mutation = generate.make(number)
            for release in mutation.start.releases:
                answer = renderer(release, offline.objects_of(mutation))
                for item in [] if offline.fault(answer) else answer["objects"]:
                    text = json.dumps(item, sort_keys=True)
                    if item["metadata"].get("namespace") is None or text in known:
                        continue
                    known.add(text)
                    tried += 1
                    refusal = self.refusal(item)
                    if refusal:
                        wrong.append(f"{release} {item['kind']} {item['metadata']['name']}: {refusal}\n  {mutation}")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))
        self.assertGreater(tried, RENDERED // 4)

    @staticmethod
    def refusal(item):
        """What the API server says against an object; empty when it takes it."""
        metadata = {**item["metadata"], "namespace": DRY_RUN}
        metadata.pop("ownerReferences", None)
        group = "api/v1" if item["apiVersion"] == "v1" else f"apis/{item['apiVersion']}"
        plural = {"NetworkPolicy": "networkpolicies"}.get(item["kind"], item["kind"].lower() + "s")
        try:
            cluster.kube.request("POST", f"/{group}/namespaces/{DRY_RUN}/{plural}?dryRun=All&fieldValidation=Strict", {**item, "metadata": metadata})
        except kubes.KubeError as error:
            return "" if error.code == 404 else str(error)
        return ""


def encoded(data):
    return {key: base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode() for key, text in data.items()}


def data_of(path):
    """The data of a Secret as text; None when it is not there."""
    found = cluster.kube.get(path)
    return found and {key: base64.b64decode(text).decode("utf-8", "replace") for key, text in found.get("data", {}).items()}


def make_pair(name, label="pair"):
    """(certificate, key) of the test's CA, which is not the operator's."""
    key, request, certificate, extensions = (cluster.folder / f"{label}.{end}" for end in ("key", "csr", "crt", "ext"))
    extensions.write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth,clientAuth\n", encoding="utf-8")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", str(key),
            "-out", str(request))
    code, said = openssl("x509", "-req", "-in", str(request), "-CA", str(cluster.ca), "-CAkey", str(cluster.ca_key), "-CAcreateserial",
                         "-days", "90", "-extfile", str(extensions), "-out", str(certificate))
    if code != 0:
        raise kubes.KubeError(f"openssl x509: {said}")
    return certificate.read_text(encoding="utf-8"), key.read_text(encoding="utf-8")


class SecretFaultTest(unittest.TestCase):
    """The operator is the CA. What is in its Secrets by hand is told and mended, and takes nothing away from what runs."""

    def setUp(self):
        judged(put({}))
        self.fresh()
        kubes.wait_for("the Secrets", lambda: all(map(data_of, (CA, PAIR, *OTHERS))), 15)
        self.ca, self.before, self.others = cluster.kube.get(CA), workloads(), list(map(data_of, OTHERS))

    def fresh(self):
        """An operator that knows of no changes: what is changed again and again within an hour is left alone for a while."""
        global operator
        operator.terminate()
        operator = cluster.start_operator("--leader-elect=false")
        time.sleep(1)  # its first round
        self.mended()

    def ca_is_kept(self):
        now = cluster.kube.get(CA)
        self.assertEqual((now["metadata"]["uid"], now["data"]), (self.ca["metadata"]["uid"], self.ca["data"]))

    def nothing_changed(self):
        self.assertEqual(workloads(), self.before)
        self.assertEqual(list(map(data_of, OTHERS)), self.others)

    def told(self, *words):
        def found():
            condition = install.conditions(cluster.kube)["Degraded"]
            return condition["status"] == "True" and all(word in condition["message"] for word in words) and condition["message"]
        message = kubes.wait_for(f"{words} in the status", found, 15, interval=0.05,
                                 explain=lambda: json.dumps(install.conditions(cluster.kube)["Degraded"]))
        self.assertNotRegex(message, offline.QUOTED_CERTIFICATE)

    def mended(self):
        kubes.wait_for("Degraded to go", lambda: install.conditions(cluster.kube)["Degraded"]["status"] == "False", 15, interval=0.05,
                       explain=lambda: json.dumps(install.conditions(cluster.kube)["Degraded"]))

    @staticmethod
    def replace(path, data, kind="Opaque"):
        """Another Secret in its place, before the operator can do anything about it."""
        namespace, _, name = path.split("/")[-3:]
        # Not in the middle of its own work on the one that goes.
        kubes.wait_for("its labels", lambda: (cluster.kube.get(path) or {"metadata": {}})["metadata"].get("labels"), 15)
        time.sleep(0.5)
        operator.popen.send_signal(signal.SIGSTOP)
        try:
            cluster.kube.delete(path)
            cluster.kube.request("POST", path.rpartition("/")[0], {
                "apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": name, "namespace": namespace}, "data": encoded(data)})
        finally:
            operator.popen.send_signal(signal.SIGCONT)

    def test_1_a_pair_that_is_none_is_told_and_the_old_one_stays(self):
        certificate, key = make_pair("my-typha")
        _, other = make_pair("my-typha", "other")
        code, encrypted = openssl("pkey", "-aes256", "-passout", "pass:secret", text=key)
        self.assertEqual(code, 0, encrypted)
        code, _ = openssl("x509", "-in", str(cluster.folder / "pair.crt"), "-outform", "DER", "-out", str(cluster.folder / "pair.der"))
        self.assertEqual(code, 0)
        names, turns = {"common-name": "my-typha"}, itertools.cycle(("typha-certs", "node-certs"))
        for what, data, words in (
                ("a certificate alone", {"tls.crt": certificate}, ("tls.key", "missing")),
                ("a key alone", {"tls.key": key}, ("tls.crt", "missing")),
                ("the key of another", {"tls.crt": certificate, "tls.key": other}, ("tls.key does not fit tls.crt",)),
                ("an encrypted key", {"tls.crt": certificate, "tls.key": encrypted}, ("tls.key", "encrypted")),
                ("a certificate that is cut off", {"tls.crt": certificate[:-60], "tls.key": key}, ("tls.crt",)),
                ("DER", {"tls.crt": (cluster.folder / "pair.der").read_bytes(), "tls.key": key}, ("tls.crt",)),
                ("the key twice", {"tls.crt": key, "tls.key": key}, ("tls.crt",)),
                ("nothing of a pair", {"password": "x"}, ())):
            with self.subTest(what):
                self.fresh()
                name = next(turns)
                path, copy = f"{SECRETS}/{name}", f"{COPIES}/{name}"
                self.replace(path, {**names, **data})
                self.told(f"Secret tigera-operator/{name}", *words)
                self.nothing_changed_but(path)
                self.ca_is_kept()
                cluster.kube.delete(path)
                self.mended()
                kubes.wait_for("its copy in its place", lambda p=path, c=copy: data_of(p) == data_of(c), 15)
                self.nothing_changed()

    def test_2_a_ca_that_is_broken_is_told_and_not_replaced(self):
        certificate, key = make_pair("a leaf")
        good = self.ca["data"]
        for what, data in (("its key gone", {"tls.key": None}), ("another key", encoded({"tls.key": key})),
                           ("no certificate", encoded({"tls.crt": "nonsense"})), ("a leaf", encoded({"tls.crt": certificate, "tls.key": key}))):
            with self.subTest(what):
                cluster.kube.merge(CA, {"data": data})
                self.told("Secret tigera-operator/tigera-ca-private", "restore the Secret")
                time.sleep(1)
                now = cluster.kube.get(CA)
                self.assertEqual(now["metadata"]["uid"], self.ca["metadata"]["uid"])
                self.assertEqual(now["data"], {name: text for name, text in {**good, **data}.items() if text})
                self.nothing_changed()
                cluster.kube.merge(CA, {"data": good})
                self.mended()
                self.nothing_changed()
                self.ca_is_kept()

    def test_3_what_is_deleted_or_edited_comes_back_as_it_was(self):
        for path, change in [(path, change) for path in (PAIR, *OTHERS) for change in ("deleted", "edited")]:
            with self.subTest(f"{path} {change}"):
                self.fresh()
                wanted = data_of(path)
                if change == "deleted":
                    cluster.kube.delete(path)
                else:
                    cluster.kube.merge(path, {"data": encoded({"tls.crt": "nonsense"})})
                kubes.wait_for("it as it was", lambda p=path, w=wanted: data_of(p) == w, 15, explain=lambda p=path: list(data_of(p) or {}))
                self.mended()
                self.nothing_changed()
                self.ca_is_kept()

    def nothing_changed_but(self, path):
        self.assertEqual(workloads(), self.before)
        self.assertEqual([data_of(other) for other in OTHERS if other != path],
                         [data for other, data in zip(OTHERS, self.others) if other != path])

    def test_4_a_pair_of_the_users_is_taken_with_carriage_returns_and_comments(self):
        certificate, key = make_pair("my-typha")
        pair = {"tls.crt": "# ours\r\n" + certificate.replace("\n", "\r\n") + "# the end\r\n", "tls.key": key.replace("\n", "\r\n"),
                "common-name": "my-typha"}
        for kind in ("Opaque", "kubernetes.io/tls"):
            with self.subTest(kind):
                cluster.kube.delete(PAIR)
                self.replace(PAIR, pair, kind)
                kubes.wait_for("the copy", lambda: data_of(f"{COPIES}/typha-certs") == pair, 15,
                               explain=lambda: json.dumps(install.conditions(cluster.kube)["Degraded"]))
                self.mended()
                self.assertEqual(data_of(PAIR), pair, "what the user supplies was changed")
                self.ca_is_kept()
        cluster.kube.delete(PAIR)
        kubes.wait_for("the operator's own", lambda: (data_of(f"{COPIES}/typha-certs") or pair)["tls.crt"] != pair["tls.crt"], 15)
        self.mended()
        self.ca_is_kept()

    def test_5_a_ca_that_is_deleted_is_made_anew(self):
        cluster.kube.delete(CA)
        kubes.wait_for("another CA", lambda: (data_of(CA) or {}).get("tls.crt", "") not in ("", data_of_object(self.ca)["tls.crt"]), 15)
        self.mended()


def data_of_object(secret):
    return {key: base64.b64decode(text).decode() for key, text in secret["data"].items()}


if __name__ == "__main__":
    unittest.main()
