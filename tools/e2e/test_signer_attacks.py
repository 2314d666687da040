"""Attacks on the signer and on the admission policy: each one is refused, by the rule that is there for it."""

import unittest

from deployment import install, kube as kubes
from e2e import environment, forged

NAMESPACE = "calico-system"


def setUpModule():
    global cluster, signer
    cluster = environment.Cluster("attack", nodes=0)
    cluster.deploy()
    install.namespace(cluster.kube, NAMESPACE)
    install.namespace(cluster.kube, "elsewhere")
    for namespace, account in ((NAMESPACE, "calico-node"), (NAMESPACE, "calico-typha"), ("elsewhere", "calico-node")):
        cluster.kube.apply(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}", {
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": namespace}})
    # Everybody may create and delete requests here, as a careless administrator might allow it.
    cluster.kube.apply("/apis/rbac.authorization.k8s.io/v1/clusterroles/anybody", {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "anybody"},
        "rules": [{"apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests"],
                   "verbs": ["create", "get", "list", "watch", "delete"]}]})
    cluster.kube.apply("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/anybody", {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "anybody"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "anybody"},
        "subjects": [{"kind": "Group", "name": "system:serviceaccounts", "apiGroup": "rbac.authorization.k8s.io"}]})
    signer = cluster.start_signer()


def tearDownModule():
    cluster.down()


def request_pem(*words, **more):
    return forged.request_pem(cluster.folder, *words, **more)


def impersonate(namespace, account, pod, uid=None):
    """A service account bound to any pod one likes."""
    return forged.impersonate(f"system:serviceaccount:{namespace}:{account}", pod_name=pod["metadata"]["name"],
                              pod_uid=uid or pod["metadata"]["uid"])


def verdict(name):
    return forged.verdict(cluster.kube, name, lambda: signer.text()[-1500:])


class AloneTest(unittest.TestCase):
    """Without the admission policy: the signer stands alone."""

    serial = 0

    def pod(self, account="calico-node", namespace=NAMESPACE, address="10.9.0.1"):
        type(self).serial += 1
        name = f"{account}-{type(self).serial}"
        # For the next test, in which nobody else may have the address.
        self.addCleanup(cluster.kube.delete, f"/api/v1/namespaces/{namespace}/pods/{name}")
        return environment.bound_pod(cluster, name, account, address, namespace)

    def submit(self, pod, pem, usages=None, name=None, token=None, headers=None):
        name = name or environment.csr_name(pod)
        meta = pod["metadata"]
        if not token and not headers:
            token = cluster.token(meta["namespace"], pod["spec"]["serviceAccountName"], pod)
        cluster.kube.request("POST", install.CSRS, forged.csr(name, pem, usages), token=token, headers=headers)
        return verdict(name)

    def assert_denied(self, got, rule):
        self.assertEqual(got[0], "Denied", got)
        self.assertIn(f"rule {rule}", got[1])
        self.assertNotIn("BEGIN", got[1])

    def test_honest_request_is_issued(self):
        self.assertEqual(self.submit(self.pod(), request_pem())[0], "Issued")

    def test_foreign_service_account(self):
        self.assert_denied(self.submit(self.pod(namespace="elsewhere"), request_pem()), "requester")

    def test_name_of_the_peer(self):
        self.assert_denied(self.submit(self.pod(), request_pem("typha-server", ("DNS:typha-client", "IP:10.9.0.1"))),
                           "common-name")

    def test_uid_of_another_pod(self):
        mine, other = self.pod(), self.pod()
        name = f"{NAMESPACE}:{mine['metadata']['name']}:{other['metadata']['uid'][:6]}"
        headers = impersonate(NAMESPACE, "calico-node", mine, uid=other["metadata"]["uid"])
        self.assert_denied(self.submit(mine, request_pem(), name=name, headers=headers), "pod-uid")

    def test_address_of_another_pod(self):
        self.assert_denied(self.submit(self.pod(), request_pem(san=("DNS:typha-client", "IP:10.9.0.7"))), "ip-addresses")

    def test_extra_dns_name(self):
        self.assert_denied(self.submit(self.pod(), request_pem(
            san=("DNS:typha-client", "DNS:kubernetes.default.svc", "IP:10.9.0.1"))), "dns-names")

    def test_ca_bit(self):
        self.assert_denied(self.submit(self.pod(), request_pem(extensions=("basicConstraints=critical,CA:TRUE",))), "no-ca")

    def test_weak_key(self):
        self.assert_denied(self.submit(self.pod(), request_pem(key="weak")), "key-strength")

    def test_email_and_uri_names(self):
        for san in ("email:root@example.com", "URI:spiffe://example.com/typha"):
            self.assert_denied(self.submit(self.pod(), request_pem(san=("DNS:typha-client", "IP:10.9.0.1", san))), "other-names")

    def test_wrong_usages(self):
        self.assert_denied(self.submit(self.pod(), request_pem(), ["code signing", "client auth"]), "usages")

    def test_unknown_critical_extension(self):
        extension = "1.3.6.1.4.1.99999.1=critical,ASN1:UTF8String:x"
        self.assert_denied(self.submit(self.pod(), request_pem(extensions=(extension,))), "critical-extensions")

    def test_token_bound_to_no_pod(self):
        pod = self.pod()
        self.assert_denied(self.submit(pod, request_pem(), token=cluster.token(NAMESPACE, "calico-node")), "bound-token")

    def test_name_of_another_pod(self):
        mine, other = self.pod(), self.pod()
        self.assert_denied(self.submit(mine, request_pem(), name=environment.csr_name(other)), "csr-name")

    def test_deleted_pod(self):
        pod = self.pod()
        cluster.kube.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}?gracePeriodSeconds=0")
        headers = impersonate(NAMESPACE, "calico-node", pod)
        self.assert_denied(self.submit(pod, request_pem(), headers=headers), "pod-exists")

    def test_pod_of_another_service_account(self):
        typha = self.pod("calico-typha")
        headers = impersonate(NAMESPACE, "calico-node", typha)
        self.assert_denied(self.submit(typha, request_pem(), headers=headers), "pod-service-account")

    def test_replayed_request_of_another_pod(self):
        victim, thief = self.pod(), self.pod(address="10.9.0.2")
        pem = request_pem()
        self.assertEqual(self.submit(victim, pem)[0], "Issued")
        self.assert_denied(self.submit(thief, pem), "ip-addresses")


class WithAdmissionPolicyTest(unittest.TestCase):
    """With the operator's ValidatingAdmissionPolicy: a stolen token cannot even take another pod's name."""

    @classmethod
    def setUpClass(cls):
        cluster.kube.apply(install.INSTALLATION, install.installation(
            {"certificateManagement": install.certificate_management(cluster.ca)}))
        cls.operator = cluster.start_operator()
        bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
        kubes.wait_for("the admission policy", lambda: cluster.kube.items(bindings), 30, explain=cls.operator.text)
        cls.thief = environment.bound_pod(cluster, "thief", "calico-node", "10.9.0.3")
        cls.victim = environment.bound_pod(cluster, "victim", "calico-node", "10.9.0.4")
        # The API server takes a moment to enforce a new policy.
        kubes.wait_for("the admission policy in force", cls.is_enforced, 30)

    @classmethod
    def tearDownClass(cls):
        cls.operator.kill()

    @classmethod
    def is_enforced(cls):
        answer = cls.create("calico-system:nobody:000000", cluster.token(NAMESPACE, "calico-node", cls.thief), "?dryRun=All")
        return answer.startswith("403") or answer.startswith("422")

    @staticmethod
    def create(name, token, query="", signer_name=install.SIGNER_NAME):
        try:
            cluster.kube.request("POST", install.CSRS + query, forged.csr(name, request_pem(), signer_name=signer_name), token=token)
            return "201"
        except kubes.KubeError as error:
            return f"{error.code} {error}"

    def token(self, pod):
        return cluster.token(NAMESPACE, "calico-node", pod)

    def test_another_pods_name_cannot_be_taken(self):
        answer = self.create(environment.csr_name(self.victim), self.token(self.thief))
        self.assertRegex(answer, "^4(03|22)")
        self.assertIn("ValidatingAdmissionPolicy", answer)

    def test_unbound_token_creates_nothing(self):
        answer = self.create(environment.csr_name(self.victim), cluster.token(NAMESPACE, "calico-node"))
        self.assertRegex(answer, "^4(03|22)")

    def test_another_pods_request_cannot_be_deleted(self):
        name = environment.csr_name(self.victim)
        self.assertEqual(self.create(name, self.token(self.victim)), "201")
        with self.assertRaises(kubes.KubeError) as refused:
            cluster.kube.request("DELETE", environment.csr_path(name), token=self.token(self.thief))
        self.assertIn(refused.exception.code, (403, 422))
        cluster.kube.request("DELETE", environment.csr_path(name), token=self.token(self.victim))
        self.assertIsNone(cluster.kube.get(environment.csr_path(name)))

    def assert_refused(self, answer):
        self.assertRegex(answer, "^4(03|22)")
        self.assertIn("ValidatingAdmissionPolicy", answer)

    def delete(self, name, token):
        try:
            cluster.kube.request("DELETE", environment.csr_path(name), token=token)
            return "200"
        except kubes.KubeError as error:
            return f"{error.code} {error}"

    def test_another_namespace_asks_our_signer_only_for_its_own_pod(self):
        pod = environment.bound_pod(cluster, "guest", "calico-node", "10.9.0.5", "elsewhere")
        self.assert_refused(self.create("anything", cluster.token("elsewhere", "calico-node")))
        bound = cluster.token("elsewhere", "calico-node", pod)
        self.assert_refused(self.create("anything", bound))
        self.assert_refused(self.create(environment.csr_name(self.victim), bound))
        # Its own name it may have; the signer denies it for its namespace.
        name = environment.csr_name(pod)
        self.assertEqual(self.create(name, bound), "201")
        self.assertEqual(verdict(name)[0], "Denied")

    def test_our_names_cannot_be_taken_under_another_signer(self):
        stranger = cluster.token("elsewhere", "calico-node")
        other = "example.org/other"
        self.assert_refused(self.create(environment.csr_name(self.victim), stranger, signer_name=other))
        self.assert_refused(self.create("calico-system:x", stranger, signer_name=other))
        # What is not ours is not our business.
        self.assertEqual(self.create("elsewhere-own", stranger, signer_name=other), "201")
        self.assertEqual(self.delete("elsewhere-own", stranger), "200")

    def test_former_names_are_for_the_pod_of_the_token_too(self):
        """Calico's own init container, in pods that nobody has replaced since the take-over."""
        pod = environment.bound_pod(cluster, "former", "calico-node", "10.9.0.6")
        for first in ("node-certs", NAMESPACE):
            name, thief = f"{first}:former", self.token(self.thief)
            self.assert_refused(self.create(name, thief))
            self.assert_refused(self.create(name, thief, signer_name="example.org/other"))
            self.assert_refused(self.create(name, cluster.token(NAMESPACE, "calico-node")))
            body = forged.csr(name, request_pem(san=("DNS:typha-client", "IP:10.9.0.6")))
            cluster.kube.request("POST", install.CSRS, body, token=self.token(pod))
            self.assertEqual(verdict(name)[0], "Issued")
            self.assert_refused(self.delete(name, thief))
            self.assertEqual(self.delete(name, self.token(pod)), "200")
        # The pair of another account, a stranger's pod of the same name.
        self.assert_refused(self.create("typha-certs:former", self.token(pod)))
        guest = environment.bound_pod(cluster, "former", "calico-node", "10.9.0.7", "elsewhere")
        self.assert_refused(self.create("node-certs:former", cluster.token("elsewhere", "calico-node", guest)))

    def test_strangers_cannot_delete_and_those_who_tidy_up_can(self):
        signer_account = cluster.token("csr-signer", "csr-signer")
        cleaner = cluster.token("kube-system", "default")
        pods = [environment.bound_pod(cluster, f"tidy-{i}", "calico-node", f"10.9.1.{i}") for i in range(2)]
        for pod, allowed in zip(pods, (signer_account, cleaner)):
            name = environment.csr_name(pod)
            self.assertEqual(self.create(name, self.token(pod)), "201")
            self.assert_refused(self.delete(name, cluster.token("elsewhere", "calico-node")))
            self.assertEqual(self.delete(name, allowed), "200")
            self.assertIsNone(cluster.kube.get(environment.csr_path(name)))

    def test_nodes_and_joining_machines_cannot_take_our_names_or_our_signer(self):
        """Both groups may create requests by Kubernetes' own roles."""
        cluster.kube.apply("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/bootstrappers", {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "bootstrappers"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-bootstrapper"},
            "subjects": [{"kind": "Group", "name": "system:bootstrappers", "apiGroup": "rbac.authorization.k8s.io"}]})
        own, other = environment.csr_name(self.victim), "example.org/other"
        for user, group in (("system:node:worker", "system:nodes"), ("system:bootstrap:abcdef", "system:bootstrappers")):
            as_one = forged.impersonate(user, group)
            for name, signer_name, generate in ((own, install.SIGNER_NAME, False), (own, other, False),
                                                ("anything", install.SIGNER_NAME, False),
                                                (own + "-", other, True), ("calico-system:", install.SIGNER_NAME, True)):
                with self.subTest(user=user, name=name, signer=signer_name, generate=generate):
                    body = forged.csr(name, request_pem(), signer_name=signer_name, generate=generate)
                    self.assert_refused(forged.attempt(cluster.kube, "POST", install.CSRS, body, headers=as_one))
            name = "of-" + user.replace(":", "-")
            self.assertEqual(forged.attempt(cluster.kube, "POST", install.CSRS, forged.csr(
                name, request_pem(), signer_name=other), headers=as_one), "", "what is not ours is not our business")
            cluster.kube.delete(environment.csr_path(name))

    def test_the_pod_deletes_what_somebody_else_put_under_its_name(self):
        name = environment.csr_name(self.victim)
        cluster.kube.request("POST", install.CSRS, forged.csr(name, request_pem(), signer_name="example.org/other"))
        self.assert_refused(self.delete(name, self.token(self.thief)))
        self.assertEqual(self.delete(name, self.token(self.victim)), "200")

    def test_the_administrator_is_not_bound(self):
        name = "calico-system:by-hand:000000"
        cluster.kube.request("POST", install.CSRS, forged.csr(name, request_pem()))
        self.assertTrue(cluster.kube.delete(environment.csr_path(name)))


if __name__ == "__main__":
    unittest.main()
