"""What somebody changes in our objects is put right at once, and the status does not claim otherwise meanwhile; what
others own in them is left alone."""

import contextlib
import time
import unittest

from deployment import install, kube as kubes
from e2e import environment

NAMESPACE = "calico-system"
DAEMONSET = f"/apis/apps/v1/namespaces/{NAMESPACE}/daemonsets/calico-node"
TYPHA = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/calico-typha"
SERVICE = f"/api/v1/namespaces/{NAMESPACE}/services/calico-typha"
BUDGET = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets/calico-typha"
BUNDLE = f"/api/v1/namespaces/{NAMESPACE}/configmaps/tigera-ca-bundle"
POLICY = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/calico-system-csr-names"
FORBIDS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/keeps-the-operator-out"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLE = f"{RBAC}/clusterroles/calico-node"
BINDING = f"{RBAC}/clusterrolebindings/calico-node"

RIGHT_SECONDS = 10.0
# The change must reach the operator's watch before its status can know of it.
SEEN_SECONDS = 1.0


def setUpModule():
    global cluster
    cluster = environment.Cluster("drift", nodes=1)
    cluster.install()


def tearDownModule():
    cluster.down()


def patch(path, operations):
    """A JSON patch, as somebody with an editor would make it."""
    return cluster.kube.request("PATCH", path + "?fieldManager=by-hand", operations, "application/json-patch+json")


def merge(path, body):
    return cluster.kube.request("PATCH", path + "?fieldManager=by-hand", body, "application/merge-patch+json")


def add(path, pointer, value):
    return patch(path, [{"op": "add", "path": pointer, "value": value}])


def replace(path, pointer, value):
    return patch(path, [{"op": "replace", "path": pointer, "value": value}])


def remove(path, pointer):
    return patch(path, [{"op": "remove", "path": pointer}])


def content(obj):
    """An object without status and what the API server counts; None when it is not there."""
    return obj and environment.content(obj)


def differences(before, after, path=""):
    """What differs, as `path: value became value`; lists of another length as a whole."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        keys = sorted(set(before) | set(after))
        return [line for key in keys for line in differences(before.get(key), after.get(key), f"{path}.{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [line for number, pair in enumerate(zip(before, after)) for line in differences(*pair, f"{path}[{number}]")]
    return [f"{path}: {str(before)[:200]} became {str(after)[:200]}"]


def is_available():
    return install.conditions(cluster.kube).get("Available", {}).get("status") == "True"


def index(items, name):
    return next(number for number, item in enumerate(items) if item["name"] == name)


class DriftTest(unittest.TestCase):
    maxDiff = None

    def put_right(self, name, path, change):
        """Makes a change and waits until nothing of it is left; the status says Available for no moment of it."""
        with self.subTest(name):
            install.wait_available(cluster.kube)
            whole = content(cluster.kube.get(path))
            self.assertNotEqual(content(change(path)), whole, "nothing was changed")
            try:
                self._watch(path, whole)
            except AssertionError:
                cluster.kube.delete(path)  # the next change starts from what the operator makes
                kubes.wait_for(f"{path} made again", lambda: cluster.kube.get(path), 30)
                raise
            install.wait_available(cluster.kube)
            self.assertEqual(differences(whole, content(cluster.kube.get(path))), [])

    def _watch(self, path, whole):
        changed = time.monotonic()
        while True:
            before, asked = content(cluster.kube.get(path)), time.monotonic() - changed
            available = is_available()
            after, took = content(cluster.kube.get(path)), time.monotonic() - changed
            if after == whole:
                return
            what = "; ".join(differences(whole, after))
            self.assertLess(took, RIGHT_SECONDS, f"not put right: {what}")
            self.assertFalse(available and before != whole and asked > SEEN_SECONDS, f"Available after {asked:.1f} s: {what}")
            time.sleep(0.05)

    def test_pods(self):
        template, spec = "/spec/template/spec", cluster.kube.get(DAEMONSET)["spec"]["template"]["spec"]
        container = index(spec["containers"], "calico-node")
        empty = index(spec["initContainers"][0]["env"], "SIGNATURE_ALGORITHM")
        variable = next(i for i, env in enumerate(spec["containers"][container]["env"]) if env.get("value"))
        for name, path, change in (
            ("nodeSelector of calico-node", DAEMONSET,
             lambda path: merge(path, {"spec": {"template": {"spec": {"nodeSelector": {"x": "y"}}}}})),
            ("privilege escalation in typha", TYPHA,
             lambda path: remove(path, f"{template}/containers/0/securityContext/allowPrivilegeEscalation")),
            ("privilege escalation in typha, said aloud", TYPHA,
             lambda path: replace(path, f"{template}/containers/0/securityContext/allowPrivilegeEscalation", True)),
            ("replicas of typha", TYPHA, lambda path: merge(path, {"spec": {"replicas": 0}})),
            ("a toleration of typha more", TYPHA,
             lambda path: add(path, f"{template}/tolerations/-", {"key": "x", "operator": "Exists"})),
            ("a toleration of typha less", TYPHA, lambda path: remove(path, f"{template}/tolerations/0")),
            ("value of a variable of calico-node", DAEMONSET,
             lambda path: replace(path, f"{template}/containers/{container}/env/{variable}/value", "changed")),
            ("a variable of calico-node twice, of which the last counts", DAEMONSET,
             lambda path: add(path, f"{template}/containers/{container}/env/-",
                              {"name": spec["containers"][container]["env"][variable]["name"], "value": "changed"})),
            ("another source of an empty variable of calico-node", DAEMONSET,
             lambda path: replace(path, f"{template}/initContainers/0/env/{empty}",
                                  {"name": "SIGNATURE_ALGORITHM", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}})),
            ("order of calico-node's init containers", DAEMONSET,
             lambda path: replace(path, f"{template}/initContainers", list(reversed(spec["initContainers"])))),
        ):
            self.put_right(name, path, change)

    def test_network_and_configuration(self):
        for name, path, change in (
            ("a budget's policy for unhealthy pods", BUDGET,
             lambda path: merge(path, {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}})),
            ("selector of Service calico-typha", SERVICE, lambda path: merge(path, {"spec": {"selector": {"x": "y"}}})),
            ("immutable CA bundle", BUNDLE, lambda path: merge(path, {"immutable": True})),
            ("immutable CA bundle with other data", BUNDLE,
             lambda path: merge(path, {"immutable": True, "data": {"tigera-ca-bundle.crt": "other"}})),
            ("other data in the CA bundle", BUNDLE, lambda path: merge(path, {"data": {"tigera-ca-bundle.crt": "other"}})),
        ):
            self.put_right(name, path, change)

    def test_rights(self):
        subject = {"kind": "ServiceAccount", "name": "stranger", "namespace": "default"}
        rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]}
        cases = [
            ("subject of a ClusterRoleBinding", BINDING, lambda path: add(path, "/subjects/-", subject)),
            ("rule of a ClusterRole", ROLE, lambda path: add(path, "/rules/-", rule)),
            ("aggregationRule of a ClusterRole", ROLE, lambda path: merge(path, {"aggregationRule": {
                "clusterRoleSelectors": [{"matchLabels": {"x": "y"}}]}})),
            ("roleRef of a ClusterRoleBinding", BINDING, self._another_role),
        ]
        if cluster.kube.get(POLICY):
            cases.append(("condition of the policy", POLICY, lambda path: add(
                path, "/spec/matchConditions", [{"name": "never", "expression": "false"}])))
        for name, path, change in cases:
            self.put_right(name, path, change)

    @staticmethod
    def _another_role(path):
        """Deletes a binding and makes it for another role, faster than the operator makes it again."""
        collection = path.rpartition("/")[0]
        other = cluster.kube.get(path)
        other["roleRef"]["name"] = "view"
        other["metadata"] = {key: value for key, value in other["metadata"].items()
                             if key not in ("uid", "resourceVersion", "creationTimestamp", "managedFields")}
        for _ in range(100):
            cluster.kube.delete(path)
            with contextlib.suppress(kubes.KubeError):
                return cluster.kube.request("POST", collection, other)
        raise AssertionError("the operator was faster a hundred times")

    @staticmethod
    def _set_value(path, name):
        cluster.kube.kubectl("set", "env", "daemonset/calico-node", f"--namespace={NAMESPACE}", "--containers=calico-node",
                             f"{name}=x")
        return cluster.kube.get(path)

    def test_what_cannot_be_put_right_is_never_available(self):
        if cluster.minor < 30:
            self.skipTest("no admission policies to keep the operator out with")
        cluster.kube.apply(FORBIDS, {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "keeps-the-operator-out"},
            "spec": {"failurePolicy": "Fail", "matchConstraints": {"resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["services"]}]},
                "matchConditions": [{"name": "it-is-the-operator",
                                     "expression": f"request.userInfo.username == '{environment.OPERATOR_USER}'"}],
                "validations": [{"expression": "false", "message": "not now"}]}})
        cluster.kube.apply(f"{FORBIDS.replace('policies', 'policybindings')}", {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "keeps-the-operator-out"},
            "spec": {"policyName": "keeps-the-operator-out", "validationActions": ["Deny"]}})
        try:
            time.sleep(5)  # until the API server has taken the policy in
            whole = cluster.kube.get(SERVICE)["spec"]["selector"]
            merge(SERVICE, {"spec": {"selector": {"x": "y"}}})
            kubes.wait_for("Degraded with the reason", lambda: self._is_degraded("not now"), 10)
            until = time.monotonic() + 10
            while time.monotonic() < until:
                self.assertFalse(is_available())
                time.sleep(0.1)
            self.assertNotEqual(cluster.kube.get(SERVICE)["spec"]["selector"], whole, "the policy did not keep it out")
        finally:
            cluster.kube.delete(FORBIDS.replace("policies", "policybindings"))
            cluster.kube.delete(FORBIDS)
        kubes.wait_for("the selector put right", lambda: cluster.kube.get(SERVICE)["spec"]["selector"] == whole, 60)
        install.wait_available(cluster.kube)

    @staticmethod
    def _is_degraded(text):
        degraded = install.conditions(cluster.kube).get("Degraded", {})
        return degraded.get("status") == "True" and text in degraded.get("message", "")

    def test_what_others_own_is_left_alone(self):
        for path in (DAEMONSET, TYPHA, SERVICE, BUNDLE, BINDING):
            merge(path, {"metadata": {"labels": {"foreign": "label"}, "annotations": {"example.com/foreign": "annotation"}}})
        cluster.kube.kubectl("set", "env", "daemonset/calico-node", f"--namespace={NAMESPACE}", "--containers=calico-node",
                             "FOREIGN=kept")
        cluster.kube.kubectl("rollout", "restart", "deployment/calico-typha", f"--namespace={NAMESPACE}")
        install.wait_available(cluster.kube)
        # Refused as long as both are there: what excludes ours goes, and nothing else.
        self.put_right("value beside valueFrom", DAEMONSET, lambda path: self._set_value(path, "NODENAME"))
        # The operator is at work on each of them.
        self.put_right("nodeSelector", DAEMONSET,
                       lambda path: merge(path, {"spec": {"template": {"spec": {"nodeSelector": {"x": "y"}}}}}))
        self.put_right("replicas", TYPHA, lambda path: merge(path, {"spec": {"replicas": 0}}))
        self.put_right("selector", SERVICE, lambda path: merge(path, {"spec": {"selector": {"x": "y"}}}))
        self.put_right("data", BUNDLE, lambda path: merge(path, {"data": {"tigera-ca-bundle.crt": "other"}}))
        self.put_right("subjects", BINDING, lambda path: replace(path, "/subjects/0/name", "stranger"))
        for path in (DAEMONSET, TYPHA, SERVICE, BUNDLE, BINDING):
            meta = cluster.kube.get(path)["metadata"]
            self.assertEqual(meta["labels"].get("foreign"), "label", path)
            self.assertEqual(meta["annotations"].get("example.com/foreign"), "annotation", path)
        template = cluster.kube.get(DAEMONSET)["spec"]["template"]["spec"]
        env = template["containers"][index(template["containers"], "calico-node")]["env"]
        self.assertIn({"name": "FOREIGN", "value": "kept"}, env)
        restarted = cluster.kube.get(TYPHA)["spec"]["template"]["metadata"].get("annotations", {})
        self.assertIn("kubectl.kubernetes.io/restartedAt", restarted)


if __name__ == "__main__":
    unittest.main()
