"""Tokens of running pods in a thief's hands: what Calico's may write says nothing to the signer, what the operator's may
write makes nobody an administrator. On real nodes, whose pods of Calico are on the host network."""

import unittest

from deployment import install, kube as kubes
from e2e import environment, forged

NAMESPACE = "calico-system"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
POLICIES = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
BINDINGS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
FOREIGN_ADDRESS = "10.9.9.9"  # of another pod


def setUpModule():
    global cluster, node_pod, typha_pod, other_node
    cluster = environment.Cluster("stolen", nodes=2)
    cluster.install()
    pods = cluster.kube.items(PODS)
    node_pod = next(pod for pod in pods if pod["metadata"]["name"].startswith("calico-node-"))
    typha_pod = next(pod for pod in pods if pod["metadata"]["name"].startswith("calico-typha-"))
    other_node = next(node["metadata"]["name"] for node in cluster.kube.items("/api/v1/nodes")
                      if node["metadata"]["name"] != node_pod["spec"]["nodeName"])


def tearDownModule():
    cluster.down()


def node_status(name=None):
    return f"/api/v1/nodes/{name or node_pod['spec']['nodeName']}/status"


def pod_status(pod):
    return f"{PODS}/{pod['metadata']['name']}/status"


def node_token():
    return cluster.token(NAMESPACE, "calico-node", node_pod)


def address_of(node, kind="InternalIP"):
    addresses = cluster.kube.get(f"/api/v1/nodes/{node}")["status"]["addresses"]
    return next(entry["address"] for entry in addresses if entry["type"] == kind)


class StatusTest(unittest.TestCase):
    """The policy calico-system-status."""

    def refused(self, token, path, body, content_type=STRATEGIC):
        answer = forged.attempt(cluster.kube, "PATCH", path, body, content_type, token=token)
        self.assertRegex(answer, "^4(03|22)")
        self.assertIn("'calico-system-status'", answer)

    def allowed(self, token, path, body):
        self.assertEqual(forged.attempt(cluster.kube, "PATCH", path, body, STRATEGIC, token=token), "")

    def test_no_address_of_a_node_is_changed(self):
        typha = cluster.token(NAMESPACE, "calico-typha", typha_pod)
        for kind in ("ExternalIP", "InternalIP"):
            for token, node in ((node_token(), node_pod["spec"]["nodeName"]), (typha, typha_pod["spec"]["nodeName"])):
                with self.subTest(kind=kind, node=node):
                    body = {"status": {"addresses": [{"type": kind, "address": service_address()}]}}
                    self.refused(token, node_status(node), body)
                    self.refused(token, node_status(node), body, MERGE)

    def test_nothing_else_of_a_node_that_somebody_relies_on(self):
        owner = {"apiVersion": "v1", "kind": "Node", "name": "gone", "uid": "gone"}
        for body in ({"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}},
                     {"metadata": {"ownerReferences": [owner]}}, {"metadata": {"finalizers": ["example.com/x"]}},
                     {"metadata": {"annotations": {"example.com/x": "y"}}},
                     {"status": {"conditions": [{"type": "MemoryPressure", "status": "True"}]}},
                     {"status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": 1}}}},
                     {"status": {"capacity": {"cpu": "999"}}}):
            with self.subTest(body=body):
                self.refused(node_token(), node_status(), body)

    def test_no_address_of_a_pod_is_changed(self):
        cni = cluster.token(NAMESPACE, "calico-cni-plugin")
        for token in (node_token(), cni):
            for status in ({"podIP": service_address(), "podIPs": [{"ip": service_address()}]},
                           {"podIPs": [{"ip": node_pod["status"]["podIP"]}, {"ip": "fd00::1"}]},
                           {"hostIP": service_address(), "hostIPs": [{"ip": service_address()}]}, {"phase": "Failed"}):
                with self.subTest(status=status):
                    self.refused(token, pod_status(node_pod), {"status": status}, MERGE)
            for metadata in ({"labels": {"k8s-app": "other"}}, {"finalizers": ["example.com/x"]},
                             {"annotations": {"example.com/x": "y"}}):
                with self.subTest(metadata=metadata):
                    self.refused(token, pod_status(node_pod), {"metadata": metadata})

    def test_what_calico_writes_is_allowed(self):
        self.allowed(node_token(), node_status(), {"status": {"conditions": [{
            "type": "NetworkUnavailable", "status": "False", "reason": "CalicoIsUp", "message": "Calico is running"}]}})
        self.allowed(node_token(), node_status(), {"metadata": {"annotations": {"projectcalico.org/IPv4Address": "10.0.0.1/24"}}})
        addresses = {"cni.projectcalico.org/podIP": "10.9.9.1/32", "cni.projectcalico.org/podIPs": "10.9.9.1/32"}
        self.allowed(cluster.token(NAMESPACE, "calico-cni-plugin"), pod_status(node_pod), {"metadata": {"annotations": addresses}})
        self.allowed(node_token(), pod_status(node_pod), {"metadata": {"annotations": addresses}})

    def test_a_whole_node_written_back_by_an_older_program_is_allowed(self):
        """As calico-node does it for its annotations, without the fields that came after its client."""
        def written():
            node = cluster.kube.get(node_status().removesuffix("/status"))
            for field in ("features", "runtimeHandlers", "declaredFeatures"):
                node["status"].pop(field, None)
            node["status"]["nodeInfo"].pop("swap", None)
            node["metadata"].setdefault("annotations", {})["projectcalico.org/IPv4IPIPTunnelAddr"] = "10.9.9.2"
            answer = forged.attempt(cluster.kube, "PUT", node_status(), node, token=node_token())
            self.assertIn(answer[:3], ("", "409"), answer)  # 409: the kubelet was faster
            return not answer
        kubes.wait_for("the node written back", written, 10)

    def test_only_the_own_node_and_its_pods(self):
        body = {"status": {"conditions": [{"type": "NetworkUnavailable", "status": "True", "reason": "thief"}]}}
        self.refused(node_token(), node_status(other_node), body)
        other_pod = next(pod for pod in cluster.kube.items(PODS) if pod["spec"].get("nodeName") == other_node)
        self.refused(node_token(), pod_status(other_pod), {"metadata": {"annotations": {"cni.projectcalico.org/podIP": "x"}}})


class OperatorTest(unittest.TestCase):
    """The operator's own token makes nobody an administrator."""

    def setUp(self):
        self.token = cluster.token("tigera-operator", "tigera-operator")

    def can(self, verb, resource, name=""):
        answer = cluster.kube.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {
                "group": "rbac.authorization.k8s.io", "resource": resource, "verb": verb, "name": name}}}, token=self.token)
        return answer["status"]["allowed"]

    def test_it_may_neither_escalate_nor_bind(self):
        for verb in ("escalate", "bind"):
            for name in ("", "calico-node", "tigera-operator-secrets", "calico-operator", "cluster-admin"):
                self.assertFalse(self.can(verb, "clusterroles", name), (verb, name))
        self.assertTrue(self.can("patch", "clusterroles", "calico-node"))
        self.assertFalse(self.can("patch", "clusterroles", "calico-operator"))
        self.assertFalse(self.can("create", "rolebindings", "tigera-operator-secrets"))

    def refused(self, method, path, body, content_type=MERGE):
        answer = forged.attempt(cluster.kube, method, path, body, content_type, token=self.token)
        self.assertRegex(answer, "^403")
        self.assertIn("attempting to grant RBAC permissions not currently held", answer)

    def test_it_gives_no_role_more_than_it_holds(self):
        role = f"{RBAC}/clusterroles/calico-node"
        everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
        self.refused("PATCH", role, {"rules": everything})
        self.refused("PATCH", role, {"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]})
        self.refused("PATCH", role, {"rules": [{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"],
                                                "resourceNames": ["calico-node"], "verbs": ["escalate"]}]})

    def test_it_binds_nobody_to_more_than_it_holds(self):
        """Deletes a binding that it may write, and makes it anew for cluster-admin before it is put back."""
        path = f"{RBAC}/clusterrolebindings/calico-typha:csr-creator"
        body = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                "metadata": {"name": "calico-typha:csr-creator"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [{"kind": "ServiceAccount", "name": "tigera-operator", "namespace": "tigera-operator"}]}
        for _ in range(100):
            cluster.kube.request("DELETE", path, token=self.token)
            answer = forged.attempt(cluster.kube, "PATCH", path + "?fieldManager=thief&force=true", body,
                                    "application/apply-patch+yaml", token=self.token)
            if "immutable" not in answer and "cannot change roleRef" not in answer:  # else the operator was faster
                break
        self.assertIn("attempting to grant RBAC permissions not currently held", answer)
        kubes.wait_for("the binding made again", lambda: cluster.kube.get(path), 30)


def service_address():
    """Of the API server's own Service, which every pod trusts most."""
    return cluster.kube.get("/api/v1/namespaces/default/services/kubernetes")["spec"]["clusterIP"]


class WithoutPoliciesTest(unittest.TestCase):
    """Without the admission policies: addresses that a thief gave himself are somebody else's, and are denied."""

    @classmethod
    def setUpClass(cls):
        deployment = "/apis/apps/v1/namespaces/tigera-operator/deployments/tigera-operator"
        cluster.kube.merge(deployment, {"spec": {"replicas": 0}})  # or it would put them back
        kubes.wait_for("the operator to end", lambda: not cluster.kube.items("/api/v1/namespaces/tigera-operator/pods"), 60)
        for policy in ("calico-system-csr-names", "calico-system-status"):
            cluster.kube.delete(f"{BINDINGS}/{policy}")
            cluster.kube.delete(f"{POLICIES}/{policy}")
        environment.bound_pod(cluster, "foreign", "default", FOREIGN_ADDRESS)
        kubes.wait_for("the policies out of force", lambda: cls.give_node(service_address()), 30)

    @staticmethod
    def give_node(address):
        body = {"status": {"addresses": [{"type": "ExternalIP", "address": address}]}}
        return not forged.attempt(cluster.kube, "PATCH", node_status(), body, STRATEGIC, token=node_token())

    def ask(self, address):
        """The pod's own request, made anew with this address beside its own name."""
        name, token = environment.csr_name(node_pod), node_token()
        forged.attempt(cluster.kube, "DELETE", environment.csr_path(name), token=token)
        pem = forged.request_pem(cluster.folder, san=("DNS:typha-client", f"IP:{address}"))
        self.assertTrue(self.give_node(address))
        usages = ["client auth", "digital signature"]
        cluster.kube.request("POST", install.CSRS, forged.csr(name, pem, usages), token=token)
        return forged.verdict(cluster.kube, name, lambda: cluster.kube.kubectl("logs", "-n", "csr-signer", "deploy/csr-signer",
                                                                               "--tail=20"))

    def test_an_address_of_somebody_else_is_denied(self):
        for address in (service_address(), address_of(other_node), FOREIGN_ADDRESS):
            with self.subTest(address=address):
                kind, message = self.ask(address)
                self.assertEqual(kind, "Denied", message)
                self.assertIn("rule ip-addresses", message)

    def test_the_nodes_own_address_is_issued(self):
        kind, message = self.ask(node_pod["status"]["podIP"])
        self.assertEqual(kind, "Issued", message)


if __name__ == "__main__":
    unittest.main()
