"""Tests of the normal form: what must be equal, and what must not."""

import base64
import unittest

from comparison import normal_form

PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----"


def flat(thing, certificates=None):
    return normal_form.NormalForm(certificates or {}).of(thing)


def pod(**spec):
    return {"kind": "Deployment", "spec": {"template": {"spec": spec}}}


class NormalFormTest(unittest.TestCase):
    def equal(self, left, right, certificates=None):
        self.assertEqual(flat(left, certificates), flat(right, certificates))

    def differ(self, left, right, certificates=None):
        self.assertNotEqual(flat(left, certificates), flat(right, certificates))

    def test_what_the_server_writes_says_nothing(self):
        self.equal({"kind": "Service", "metadata": {"name": "a", "uid": "1", "resourceVersion": "2"}, "status": {"x": 1},
                    "spec": {"clusterIP": "10.0.0.98", "clusterIPs": ["10.0.0.98"], "ports": [{"port": 1, "targetPort": 1, "protocol": "TCP"}]}},
                   {"kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}]}})
        self.differ({"kind": "Service", "spec": {"ports": [{"port": 1, "targetPort": 2}]}}, {"kind": "Service", "spec": {"ports": [{"port": 1}]}})

    def test_defaults_equal_nothing_said(self):
        said = pod(restartPolicy="Always", securityContext={}, serviceAccount="x", containers=[{
            "name": "a", "terminationMessagePath": "/dev/termination-log", "resources": {}, "imagePullPolicy": "IfNotPresent",
            "readinessProbe": {"httpGet": {"scheme": "HTTP", "port": 1}, "periodSeconds": 10}, "env": [{"name": "E", "value": ""}]}])
        self.equal(said, pod(containers=[{"name": "a", "readinessProbe": {"httpGet": {"port": 1}}, "env": [{"name": "E"}]}]))
        self.differ(pod(containers=[{"name": "a", "imagePullPolicy": "Always"}]), pod(containers=[{"name": "a"}]))
        self.differ(pod(dnsPolicy="Default"), pod())

    def test_a_host_port_is_the_containers_port_on_the_hosts_network_only(self):
        ports = [{"containerPort": 5473, "hostPort": 5473}]
        without = [{"containerPort": 5473}]
        self.equal(pod(hostNetwork=True, containers=[{"name": "a", "ports": ports}]), pod(hostNetwork=True, containers=[{"name": "a", "ports": without}]))
        self.differ(pod(containers=[{"name": "a", "ports": ports}]), pod(containers=[{"name": "a", "ports": without}]))

    def test_order_counts_only_where_it_has_a_meaning(self):
        a, b = {"name": "a", "value": "1"}, {"name": "b", "value": "2"}
        self.equal(pod(containers=[{"name": "c", "env": [a, b]}]), pod(containers=[{"name": "c", "env": [b, a]}]))
        self.equal(pod(tolerations=[{"key": "x"}, {"key": "y"}]), pod(tolerations=[{"key": "y"}, {"key": "x"}]))
        self.differ(pod(containers=[{"name": "c", "command": ["x", "y"]}]), pod(containers=[{"name": "c", "command": ["y", "x"]}]))
        self.differ(pod(initContainers=[a, b]), pod(initContainers=[b, a]))
        self.differ(pod(containers=[{"name": "c", "env": [a, a]}]), pod(containers=[{"name": "c", "env": [a]}]))

    def test_rules_are_grants(self):
        one = {"kind": "ClusterRole", "rules": [{"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get"]}]}
        two = {"kind": "ClusterRole", "rules": [{"apiGroups": [""], "resources": [name], "verbs": ["get"]} for name in ("nodes", "pods")]}
        self.equal(one, two)
        self.assertIn("rules[core/pods get]", flat(one))
        two["rules"][0]["resourceNames"] = ["a"]
        self.differ(one, two)

    def test_json_in_a_config_map_is_compared_as_json(self):
        self.equal({"kind": "ConfigMap", "data": {"config": '{"a": [1,\t2]}'}}, {"kind": "ConfigMap", "data": {"config": '{"a":[1,2]}'}})
        self.differ({"kind": "ConfigMap", "data": {"config": '{"a": [2, 1]}'}}, {"kind": "ConfigMap", "data": {"config": '{"a":[1,2]}'}})

    def test_an_empty_dir_is_something(self):
        self.differ(pod(volumes=[{"name": "v", "emptyDir": {}}]), pod(volumes=[{"name": "v"}]))
        self.equal(pod(affinity={}), pod())

    def test_certificates_are_what_they_are(self):
        one = {"subject": "CN=a", "issuer": "CN=ca@123", "names": ["a"], "key": "RSA-2048", "keyUsages": "", "days": 825}
        other = dict(one, issuer="CN=ca@456")
        certificates = {PEM.format("AA"): one, PEM.format("BB"): other, PEM.format("CC"): dict(one, names=["b"])}
        secret = lambda text: {"kind": "Secret", "data": {"tls.crt": base64.b64encode(PEM.format(text).encode()).decode(), "tls.key": "REDACTED"}}
        self.equal(secret("AA"), secret("BB"), certificates)
        self.differ(secret("AA"), secret("CC"), certificates)
        self.equal({"kind": "ConfigMap", "data": {"ca.crt": f"# certificate name: x\n{PEM.format('AA')}\n\n"}},
                   {"kind": "ConfigMap", "data": {"ca.crt": f"# certificate name: x\n{PEM.format('BB')}\n"}}, certificates)

    def test_keys_are_there_or_not_but_passwords_are_compared(self):
        key = base64.b64encode(b"-----BEGIN PRIVATE KEY-----").decode()
        self.equal({"kind": "Secret", "data": {"tls.key": key}}, {"kind": "Secret", "data": {"tls.key": "REDACTED"}})
        self.differ({"kind": "Secret", "data": {"tls.key": key}}, {"kind": "Secret", "data": {}})
        self.differ({"kind": "Secret", "data": {"p": "YQ=="}}, {"kind": "Secret", "data": {"p": "Yg=="}})

    def test_hashes_are_there_or_not(self):
        def annotated(value):
            return {"metadata": {"annotations": {"tigera-operator.hash.operator.tigera.io/node-certs": value}}}
        self.equal(annotated("1"), annotated("2"))
        self.differ(annotated("1"), annotated(""))
        self.differ(annotated("1"), {})
        exact = normal_form.NormalForm({}, lambda name: name == "node-certs")
        self.assertNotEqual(exact.of(annotated("1")), exact.of(annotated("2")))

    def test_public_roots_are_there_or_not(self):
        self.equal({"kind": "ConfigMap", "data": {"ca-bundle.crt": "a"}}, {"kind": "ConfigMap", "data": {"ca-bundle.crt": "b"}})
        self.differ({"kind": "ConfigMap", "data": {"ca-bundle.crt": "a"}}, {"kind": "ConfigMap", "data": {}})

    def test_a_release_branch_is_its_release(self):
        self.equal(pod(containers=[{"name": "a", "image": "quay.io/calico/node:release-v3.33"}]),
                   pod(containers=[{"name": "a", "image": "quay.io/calico/node:v3.33.1"}]))

    def test_quantities_are_values(self):
        self.equal(pod(containers=[{"name": "a", "resources": {"limits": {"cpu": "1000m"}}}]),
                   pod(containers=[{"name": "a", "resources": {"limits": {"cpu": "1"}}}]))


if __name__ == "__main__":
    unittest.main()
