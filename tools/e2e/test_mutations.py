"""Installations with something wrong in them, through a real API server to a running operator: it stays up, leaves what runs alone
while the Installation is wrong, says what is wrong and where, and goes on with the next good one."""

import collections
import hashlib
import json
import re
import time
import unittest

from deployment import build, install, kube as kubes
from e2e import environment
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
        """The starts that the operator takes as they are."""
        accepted = []
        for start in good:
            condition = judged(put(start.spec))
            if condition["status"] == "False":
                accepted.append(start)
        names = {start.name for start in accepted}
        self.assertLessEqual({"overrides", "network", "hosts", "everything", "eks", "gke", "aks", "openshift"}, names, operator.text()[-3000:])
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
        now = workloads()
        if condition["status"] == "False":
            return "applied", now
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
        self.assertGreater(tried, RENDERED)

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


if __name__ == "__main__":
    unittest.main()
