"""What stands in the operator's way is told with its name, what does not depend on it goes on, and all heals by itself: a right
that is missing, another writer, an object that does not go, definitions that are gone or too old."""

import json
import time
import unittest

from deployment import install, kube as kubes
from e2e import environment

NAMESPACE = "calico-system"
DAEMONSET = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/calico-node"
TYPHA = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/calico-typha"
ACCOUNT = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/calico-node"
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/calico-operator"
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
GRACE = "terminationGracePeriodSeconds"
FINALIZER = "example.com/protector"
# The lists that the operator lives by; without any of them the rest goes on. Whether the right is missing at the start, as with an
# older chart, or is taken while it runs.
MISSING_AT_START = (("poddisruptionbudgets", "policy"), ("nodes", ""), ("certificatesigningrequests", "certificates.k8s.io"),
                    ("configmaps", ""))
TAKEN_LATER = (("replicasets", "apps"), ("validatingadmissionpolicies", "admissionregistration.k8s.io"), ("tigerastatuses", "operator.tigera.io"))


def setUpModule():
    global cluster
    cluster = environment.Cluster("interference", nodes=0)
    cluster.deploy()


def tearDownModule():
    cluster.down()


def condition(kind):
    return install.conditions(cluster.kube).get(kind, {})


def is_true(kind):
    return condition(kind).get("status") == "True"


def wait_degraded(*words, seconds=60, explain=None):
    """The Degraded message that holds every one of `words`."""
    def told():
        found = condition("Degraded")
        return found.get("status") == "True" and all(word in found["message"] for word in words) and found["message"]
    return kubes.wait_for(f"Degraded with {words}", told, seconds, explain=lambda: (
        json.dumps(install.conditions(cluster.kube)) + (explain() if explain else "")))


def wait_not_degraded(seconds=60, explain=None):
    kubes.wait_for("Degraded to go", lambda: condition("Degraded").get("status") == "False", seconds, explain=lambda: (
        json.dumps(install.conditions(cluster.kube)) + (explain() if explain else "")))


def apply_installation(**more):
    spec = {"certificateManagement": install.certificate_management(cluster.ca), **more}
    return cluster.kube.apply(install.INSTALLATION, install.installation(spec))


class InterferenceTest(unittest.TestCase):

    def setUp(self):
        uid = apply_installation()["metadata"]["uid"]
        self.operator = cluster.start_operator("--leader-elect=false", *self.flags())
        self.addCleanup(self.stop)
        self.wait_installed(uid)

    def wait_installed(self, uid, seconds=60):
        """Until the DaemonSet is there that belongs to this very Installation, and nothing is Degraded."""
        kubes.wait_for("the DaemonSet of this Installation", lambda: uid in json.dumps(
            (cluster.kube.get(DAEMONSET) or {}).get("metadata", {}).get("ownerReferences")), seconds, explain=self.operator.text)
        wait_not_degraded(explain=self.operator.text)

    def flags(self):
        return ()

    def stop(self):
        if self.operator.popen.poll() is None:
            self.operator.kill()

    def restart(self):
        self.stop()
        self.operator = cluster.start_operator("--leader-elect=false", *self.flags(), label="again")

    def requests(self, since):
        return [event for event in cluster.audit_events(since) if event["user"]["username"] == environment.OPERATOR_USER]


class MissingRightTest(InterferenceTest):

    def setUp(self):
        super().setUp()
        self.rules = cluster.kube.get(ROLE)["rules"]
        self.addCleanup(lambda: self.put_rules(self.rules))

    def test_one_that_is_missing_at_the_start_is_named_beside_what_works(self):
        for number, (resource, group) in enumerate(MISSING_AT_START):
            with self.subTest(resource):
                self.take(resource)
                self.restart()
                self.told_and_healed(resource, group, 9100 + number)

    def test_one_that_is_taken_while_it_runs_is_named_after_the_next_list(self):
        for number, (resource, group) in enumerate(TAKEN_LATER):
            with self.subTest(resource):
                self.take(resource)
                cluster.restart("kube-apiserver")  # ends every watch
                self.told_and_healed(resource, group, 9200 + number)

    def told_and_healed(self, resource, group, port):
        wait_degraded(resource, group or "cannot list resource", explain=self.operator.text)
        is_applied = lambda: str(port) in json.dumps(cluster.kube.get(DAEMONSET)["spec"])
        apply_installation(nodeMetricsPort=port)
        if resource == "configmaps":  # whom pods trust is not known: what runs stays as it is
            time.sleep(5)
            self.assertFalse(is_applied())
        else:  # the rest is still looked after
            kubes.wait_for("a change of the Installation to be applied", is_applied, 30, explain=self.operator.text)
        self.assertIsNone(self.operator.popen.poll(), "the operator has ended")
        self.put_rules(self.rules)
        wait_not_degraded(90, explain=self.operator.text)
        kubes.wait_for("the change to be applied", is_applied, 30, explain=self.operator.text)

    def take(self, resource):
        """Nobody may list or watch this any more; what is written is written."""
        keep = lambda rule: [verb for verb in rule["verbs"] if resource not in rule["resources"] or verb not in ("list", "watch")]
        self.put_rules([{**rule, "verbs": keep(rule)} for rule in self.rules if keep(rule)])

    def put_rules(self, rules):
        cluster.kube.merge(ROLE, {"rules": rules})


class AnotherWriterTest(InterferenceTest):

    def test_that_puts_its_value_back_each_time_is_named_and_not_raced(self):
        since, ours = environment.now_rfc3339(), None
        pointer = f"/spec/template/spec/{GRACE}"
        deadline = time.monotonic() + 45
        while time.monotonic() < deadline:
            found = cluster.kube.get(DAEMONSET)["spec"]["template"]["spec"].get(GRACE)
            if found != 77:
                ours = found
                cluster.kube.request("PATCH", DAEMONSET + "?fieldManager=gitops", [{"op": "add", "path": pointer, "value": 77}],
                                     "application/json-patch+json")
            time.sleep(0.1)
        self.assertIsNotNone(ours)
        message = wait_degraded("calico-node", GRACE, "gitops", seconds=15, explain=self.operator.text)
        self.assertIn("DaemonSet", message)
        self.assertFalse(is_true("Available"))
        writes = [event for event in self.requests(since) if event["verb"] == "patch"
                  and event["objectRef"]["resource"] == "daemonsets"]
        self.assertLessEqual(len(writes), 12, "every one of them restarts calico-node")
        # It has gone: our value is back, and the trouble with it.
        kubes.wait_for("our value", lambda: cluster.kube.get(DAEMONSET)["spec"]["template"]["spec"].get(GRACE) == ours, 330, explain=self.operator.text)
        wait_not_degraded(explain=self.operator.text)


    def test_that_rewrites_the_answer_is_found_without_a_manager(self):
        if cluster.minor < 36:
            self.skipTest("no mutating admission policies")
        name, since = "rewrites-calico-node", environment.now_rfc3339()
        policy, binding = f"{ADMISSION}/mutatingadmissionpolicies/{name}", f"{ADMISSION}/mutatingadmissionpolicybindings/{name}"
        make = lambda path, kind, spec: cluster.kube.apply(path, {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
        make(policy, "MutatingAdmissionPolicy", {
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                                                    "resources": ["daemonsets"]}]},
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {
                "expression": f'[JSONPatch{{op: "add", path: "/spec/template/spec/{GRACE}", value: 88}}]'}}]})
        make(binding, "MutatingAdmissionPolicyBinding", {"policyName": name})
        self.addCleanup(lambda: (cluster.kube.delete(binding), cluster.kube.delete(policy)))
        time.sleep(3)
        apply_installation(nodeMetricsPort=9191)
        message = wait_degraded("calico-node", GRACE, seconds=60, explain=self.operator.text)
        self.assertIn("webhook", message)
        self.assertFalse(is_true("Available"))
        time.sleep(20)
        writes = [event for event in self.requests(since) if event["verb"] == "patch" and event["objectRef"]["resource"] == "daemonsets"]
        self.assertLessEqual(len(writes), 12)
        cluster.kube.delete(binding)
        cluster.kube.delete(policy)
        wait_not_degraded(330, explain=self.operator.text)
        self.assertNotEqual(cluster.kube.get(DAEMONSET)["spec"]["template"]["spec"].get(GRACE), 88)


class StuckObjectTest(InterferenceTest):

    def tearDown(self):
        for path in (ACCOUNT, f"/api/v1/namespaces/{NAMESPACE}/configmaps/holder"):
            if cluster.kube.get(path):
                cluster.kube.merge(path, {"metadata": {"finalizers": None}})

    def test_a_service_account_that_does_not_go_is_named_with_its_finalizer(self):
        cluster.kube.merge(ACCOUNT, {"metadata": {"finalizers": [FINALIZER]}})
        cluster.kube.delete(ACCOUNT)
        since = environment.now_rfc3339()
        wait_degraded("ServiceAccount", "calico-system/calico-node", FINALIZER, explain=self.operator.text)
        time.sleep(10)
        self.assertLess(len(self.requests(since)), 60, "a hot loop")
        cluster.kube.merge(ACCOUNT, {"metadata": {"finalizers": None}})
        kubes.wait_for("the account made anew", lambda: cluster.kube.get(ACCOUNT), 60, explain=self.operator.text)
        wait_not_degraded(explain=self.operator.text)

    def test_b_namespace_that_does_not_go_is_named_with_what_remains(self):
        holder = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
        cluster.kube.request("POST", holder, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "holder", "namespace": NAMESPACE, "finalizers": [FINALIZER]}})
        cluster.kube.delete(f"/api/v1/namespaces/{NAMESPACE}")
        message = wait_degraded("calico-system", FINALIZER, explain=self.operator.text)
        self.assertIn("Namespace", message)
        self.assertNotIn("forbidden", message)
        since = environment.now_rfc3339()
        time.sleep(15)
        creates = [event for event in self.requests(since) if event["verb"] in ("create", "patch")
                   and event["objectRef"].get("namespace") == NAMESPACE]
        self.assertLess(len(creates), 5, "writes into a namespace that is going")
        cluster.kube.merge(f"{holder}/holder", {"metadata": {"finalizers": None}})
        kubes.wait_for("the DaemonSet made anew", lambda: cluster.kube.get(DAEMONSET), 90, explain=self.operator.text)
        wait_not_degraded(explain=self.operator.text)


class NamespaceOfBeforeTest(InterferenceTest):

    def test_foreign_labels_stay(self):
        path = f"/api/v1/namespaces/{NAMESPACE}"
        cluster.kube.merge(path, {"metadata": {"labels": {"policy.example.com/webhook": "ignore",
                                                          "pod-security.kubernetes.io/enforce": "restricted"},
                                               "annotations": {"example.com/owner": "platform"}}})
        enforce = lambda: cluster.kube.get(path)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        kubes.wait_for("the pods to be let in", lambda: enforce() == "privileged", 30, explain=self.operator.text)
        meta = cluster.kube.get(path)["metadata"]
        self.assertEqual(meta["labels"]["policy.example.com/webhook"], "ignore")
        self.assertEqual(meta["annotations"]["example.com/owner"], "platform")

    def test_one_that_still_goes_when_the_installation_is_made_anew_is_waited_for(self):
        cluster.kube.delete(install.INSTALLATION)
        kubes.wait_for("the status to go", lambda: cluster.kube.get(install.STATUS) is None, 60, explain=self.operator.text)
        self.wait_installed(apply_installation()["metadata"]["uid"], 120)
        self.assertNotIn("is being terminated", self.operator.text())


class OtherInstallationTest(InterferenceTest):

    def test_of_another_name_gets_an_event(self):
        for name in ("tigera-secure",):
            path = install.INSTALLATION.replace("default", name)
            cluster.kube.apply(path, {"apiVersion": "operator.tigera.io/v1", "kind": "Installation", "metadata": {"name": name}, "spec": {}})
            self.addCleanup(cluster.kube.delete, path)
            kubes.wait_for("an Event", lambda n=name: any(
                event["involvedObject"].get("name") == n and event["type"] == "Warning" and "default" in event["message"]
                for event in cluster.kube.items("/api/v1/events")), 20, explain=self.operator.text)

    def test_status_goes_with_the_installation_when_no_operator_is_left(self):
        kubes.wait_for("conditions", lambda: len(install.conditions(cluster.kube)) == 3, 30)
        self.stop()
        cluster.kube.delete(install.INSTALLATION)
        kubes.wait_for("the status to go", lambda: cluster.kube.get(install.STATUS) is None, 60)


class DefinitionTest(InterferenceTest):
    """CustomResourceDefinitions without --manage-crds."""

    NAME = CRD + "installations.operator.tigera.io"

    def test_an_older_one_that_prunes_is_told_before_anything_rolls(self):
        whole = cluster.kube.get(self.NAME)
        self.addCleanup(self.put, whole)
        generation = lambda: cluster.kube.get(DAEMONSET)["metadata"]["generation"]
        apply_installation(certificateManagement={**install.certificate_management(cluster.ca), "keyAlgorithm": "ECDSAWithCurve384"})
        kubes.wait_for("the new algorithm", lambda: "ECDSAWithCurve384" in json.dumps(cluster.kube.get(DAEMONSET)["spec"]), 30)
        time.sleep(2)
        before, older = generation(), json.loads(json.dumps(whole))
        management = older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["certificateManagement"]
        del management["properties"]["keyAlgorithm"]
        management.pop("x-kubernetes-validations")  # they name it
        self.put(older)
        self.stop()
        # A write of anything prunes the field.
        kubes.wait_for("the field to be pruned", lambda: "keyAlgorithm" not in json.dumps(cluster.kube.merge(
            install.INSTALLATION, {"metadata": {"labels": {"touched": str(time.time_ns())}}})["spec"]), 30)
        self.restart()
        message = wait_degraded("installations.operator.tigera.io", explain=self.operator.text)
        self.assertIn("keyAlgorithm", message)
        self.assertEqual(generation(), before, "pods were rolled")
        self.put(whole)
        time.sleep(12)  # the field is still lost
        self.assertEqual(generation(), before, "pods were rolled")
        wait_degraded("keyAlgorithm", explain=self.operator.text)
        apply_installation(certificateManagement={**install.certificate_management(cluster.ca), "keyAlgorithm": "ECDSAWithCurve384"})
        wait_not_degraded(90, explain=self.operator.text)
        self.assertEqual(generation(), before, "pods were rolled")

    def put(self, definition):
        current = cluster.kube.get(self.NAME)
        cluster.kube.request("PUT", self.NAME, {**current, "spec": definition["spec"]})


class ManagedDefinitionTest(InterferenceTest):

    def flags(self):
        return ("--manage-crds",)

    def test_deleted_ones_come_back(self):
        for name in ("installations.operator.tigera.io", "tigerastatuses.operator.tigera.io"):
            cluster.kube.delete(CRD + name)
        kubes.wait_for("the old ones to go", lambda: all(
            (cluster.kube.get(CRD + name) or {"metadata": {}})["metadata"].get("deletionTimestamp") is None
            for name in ("installations.operator.tigera.io", "tigerastatuses.operator.tigera.io")), 60)
        install.wait_for_crds(cluster.kube)
        kubes.wait_for("Installations to be taken", lambda: apply_installation(), 60)
        kubes.wait_for("conditions", lambda: len(install.conditions(cluster.kube)) == 3, 90, explain=self.operator.text)
        self.assertIsNone(self.operator.popen.poll())


if __name__ == "__main__":
    unittest.main()
