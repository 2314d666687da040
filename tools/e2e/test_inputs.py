"""What users write into Installations, ConfigMaps and CA files, as public reports show it: taken as it is meant, or refused with
the field, the cause and what to write instead; and nothing is rolled for it."""

import base64
import json
import re
import time
import unittest

from deployment import install, kube as kubes
from e2e import environment
from e2e.environment import openssl

DAEMONSET = "/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node"
TYPHA = "/apis/apps/v1/namespaces/calico-system/deployments/calico-typha"
ENDPOINT = "/api/v1/namespaces/tigera-operator/configmaps/kubernetes-services-endpoint"
HOST, PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"


def setUpModule():
    global cluster, operator
    cluster = environment.Cluster("inputs", nodes=0)
    cluster.deploy()
    apply()
    operator = cluster.start_operator("--leader-elect=false")
    kubes.wait_for("the DaemonSet", lambda: cluster.kube.get(DAEMONSET), 30, explain=operator.text)


def tearDownModule():
    cluster.down()


def management(**more):
    return {**install.certificate_management(cluster.ca), **more}


def encode(data):
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def apply(**spec):
    """Replaces the whole spec; the answer. KubeError when the API server refuses."""
    wanted = {"certificateManagement": management(), **spec}
    current = cluster.kube.get(install.INSTALLATION)
    if current is None:
        return cluster.kube.request("POST", install.INSTALLATION.rpartition("/")[0] + "?fieldValidation=Strict", install.installation(wanted))
    while True:
        current["spec"] = wanted
        try:
            return cluster.kube.request("PUT", install.INSTALLATION + "?fieldValidation=Strict", current)
        except kubes.KubeError as error:
            if error.code != 409:
                raise
            current = cluster.kube.get(install.INSTALLATION)


def judged(generation):
    """The conditions once they are about this generation of the Installation."""
    def found():
        conditions = install.conditions(cluster.kube)
        return len(conditions) == 3 and all(c.get("observedGeneration") == generation for c in conditions.values()) and conditions
    return kubes.wait_for("a status", found, 15, explain=lambda: json.dumps(install.conditions(cluster.kube)) + operator.text()[-800:])


def messages(conditions):
    return " ".join(c.get("message", "") for c in conditions.values())


def containers(path):
    spec = cluster.kube.get(path)["spec"]["template"]["spec"]
    return spec["containers"] + spec.get("initContainers", [])


def node_variables():
    """calico-node's environment, as far as it is values."""
    container = next(c for c in containers(DAEMONSET) if c["name"] == "calico-node")
    return {variable["name"]: variable.get("value") for variable in container["env"]}


class InputTest(unittest.TestCase):

    def setUp(self):
        self.accepted()
        self.before = self.generations()
        self.addCleanup(apply)

    def generations(self):
        return [cluster.kube.get(path)["metadata"]["generation"] for path in (DAEMONSET, TYPHA)]

    def accepted(self, **spec):
        """The conditions of an Installation that is not Degraded."""
        generation = apply(**spec)["metadata"]["generation"]
        conditions = judged(generation)
        self.assertEqual(conditions["Degraded"]["status"], "False", conditions["Degraded"])
        return conditions

    def degraded(self, *words, **spec):
        conditions = judged(apply(**spec)["metadata"]["generation"])
        self.assertEqual(conditions["Degraded"]["status"], "True", conditions)
        for word in words:
            self.assertIn(word, conditions["Degraded"]["message"])
        self.assertEqual(self.generations(), self.before, "something was rolled")
        return conditions["Degraded"]["message"]

    def refused(self, *words, **spec):
        with self.assertRaises(kubes.KubeError) as caught:
            apply(**spec)
        self.assertIn(caught.exception.code, (400, 422), caught.exception)
        for word in words:
            self.assertIn(word, str(caught.exception))


class CaCertTest(InputTest):

    def test_explain_says_base64_on_one_line(self):
        text = cluster.kube.kubectl("explain", "installation.spec.certificateManagement.caCert")
        self.assertIn("base64", text)
        self.assertIn("one line", " ".join(text.split()))

    def test_what_is_pasted_instead_of_base64_of_the_file(self):
        pem = cluster.ca.read_text(encoding="utf-8")
        body = "".join(pem.splitlines()[1:-1])
        self.refused("caCert", certificateManagement=management(caCert=pem))
        wrapped = "\n".join(encode(pem)[at:at + 76] for at in range(0, len(encode(pem)), 76))
        self.refused("caCert", certificateManagement=management(caCert=wrapped))
        self.refused("caCert", certificateManagement=management(caCert=wrapped.replace("\n", " ")))
        self.degraded("caCert", "BEGIN", certificateManagement=management(caCert=body))
        self.degraded("caCert", "base64", "twice", certificateManagement=management(caCert=encode(encode(pem))))

    def test_files_of_other_kinds_are_named_with_a_command(self):
        folder, pem = cluster.folder, cluster.ca.read_text(encoding="utf-8")
        for kind, form, command in (("pkcs7", "PEM", "openssl pkcs7"), ("pkcs7", "DER", "openssl pkcs7"), ("x509", "DER", "openssl x509")):
            with self.subTest(f"{kind} {form}"):
                out = folder / "other"
                words = ["crl2pkcs7", "-nocrl", "-certfile", str(cluster.ca)] if kind == "pkcs7" else ["x509", "-in", str(cluster.ca)]
                code, said = openssl(*words, "-outform", form, "-out", str(out))
                self.assertEqual(code, 0, said)
                self.degraded("caCert", command, certificateManagement=management(caCert=encode(out.read_bytes())))
        self.degraded("UTF-16", certificateManagement=management(caCert=encode(pem.encode("utf-16"))))
        self.accepted(certificateManagement=management(caCert=encode("\ufeff" + pem.replace("\n", "\r\n"))))
        self.accepted(certificateManagement=management(caCert=encode(pem + "\n# end of file\n")))
        bundle = cluster.kube.get("/api/v1/namespaces/calico-system/configmaps/tigera-ca-bundle")["data"]
        for text in bundle.values():  # once for each pair that it signs
            blocks = re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)
            self.assertEqual(set(blocks), {pem.strip()})
            self.assertEqual(text.count("-----BEGIN"), len(blocks))

    def certificate(self, name, *extensions):
        folder = cluster.folder / name
        pem, _ = install.make_ca(folder, name, extra=[word for line in extensions for word in ("-addext", line)])
        return pem.read_text(encoding="utf-8")

    def test_a_ca_that_cannot_sign_what_is_needed_is_refused_before_anything_rolls(self):
        self.degraded("caCert", "clientAuth", certificateManagement=management(
            caCert=encode(self.certificate("only-servers", "extendedKeyUsage=serverAuth"))))
        message = self.degraded("caCert", "typha-client", certificateManagement=management(
            caCert=encode(self.certificate("constrained", "nameConstraints=critical,permitted;DNS:example.com"))))
        self.assertIn("example.com", message)
        self.accepted(certificateManagement=management(
            caCert=encode(self.certificate("both", "extendedKeyUsage=serverAuth,clientAuth"))))

    def test_an_expired_or_future_one_beside_a_good_one_is_a_note(self):
        pem = cluster.ca.read_text(encoding="utf-8")
        for name, start, end, word in (("old root", -20, -10, "expired"), ("next root", 10, 20, "not valid before")):
            with self.subTest(name):
                other = environment.dated_ca(cluster.folder, name, "CA:TRUE", start, end)
                conditions = self.accepted(certificateManagement=management(caCert=encode(pem + other)))
                self.assertIn(name, messages(conditions))
                self.before = self.generations()
                self.degraded("caCert", word, certificateManagement=management(caCert=encode(other)))


class ApiEndpointTest(InputTest):
    """ConfigMap kubernetes-services-endpoint, from which pods get the API server's address."""

    def setUp(self):
        super().setUp()
        self.good = cluster.kube.get(ENDPOINT)["data"]
        self.addCleanup(self.put, self.good)

    def put(self, data):
        current = cluster.kube.get(ENDPOINT)
        if current is None:
            return cluster.kube.request("POST", ENDPOINT.rpartition("/")[0], {
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kubernetes-services-endpoint"}, "data": data})
        return cluster.kube.request("PUT", ENDPOINT, {**current, "data": data})

    def address(self):
        """Host and port in the pods' environment."""
        found = {v["name"]: v.get("value") for c in containers(DAEMONSET) for v in c.get("env", [])}
        return found.get(HOST), found.get(PORT)

    def test_a_value_that_is_no_host_or_port_rolls_nothing(self):
        for key, data in ((HOST, {HOST: "https://abc123.gr7.eu-west-1.eks.example.com", PORT: "443"}),
                          (HOST, {HOST: "https://10.0.0.10:6443"}),
                          (HOST, {HOST: "10.0.0.10:6443", PORT: "6443"}),
                          (HOST, {HOST: "two words", PORT: "6443"}),
                          (PORT, {HOST: "10.0.0.10", PORT: "https"}),
                          (PORT, {HOST: "10.0.0.10", PORT: "70000"})):
            with self.subTest(str(data)):
                self.put(data)
                told = lambda k=key: (lambda c: c.get("status") == "True" and "tigera-operator/kubernetes-services-endpoint" in c["message"]
                                      and k in c["message"])(install.conditions(cluster.kube)["Degraded"])
                kubes.wait_for("Degraded", told, 15, explain=lambda: json.dumps(install.conditions(cluster.kube)))
                self.assertEqual(self.generations(), self.before, "something was rolled")
                self.put(self.good)
                kubes.wait_for("Degraded to go", lambda: install.conditions(cluster.kube)["Degraded"]["status"] == "False", 15)
                self.assertEqual(self.generations(), self.before)

    def test_white_space_and_brackets_are_no_part_of_the_address(self):
        for data, want in (({HOST: "10.0.0.10\n", PORT: " 6443\n"}, ("10.0.0.10", "6443")),
                           ({HOST: "[fd00::10]", PORT: "6443"}, ("fd00::10", "6443"))):
            self.put(data)
            kubes.wait_for(f"{want} in the pods", lambda w=want: self.address() == w, 15, explain=lambda: str(self.address()))

    def test_one_that_is_made_after_the_pods_is_taken_up(self):
        cluster.kube.delete(ENDPOINT)
        time.sleep(2)
        self.put({HOST: "10.0.0.77", PORT: "6443"})
        kubes.wait_for("the address in the pods", lambda: self.address() == ("10.0.0.77", "6443"), 15)


class FieldTest(InputTest):

    def test_a_provider_beside_calicos_plugin_says_nothing_of_what_is_not_set(self):
        pool = {"cidr": "192.168.0.0/16", "encapsulation": "VXLAN"}
        conditions = self.accepted(kubernetesProvider="EKS", cni={"type": "Calico"},
                                   calicoNetwork={"bgp": "Disabled", "hostPorts": None, "ipPools": [pool]})
        self.assertNotIn("hostPorts", messages(conditions))

    def test_every_provider_is_taken_and_none_is_told_to_be_another(self):
        for provider in ("EKS", "AKS", "GKE", "RKE2", "OpenShift", "DockerEnterprise", "TKG"):
            with self.subTest(provider):
                conditions = self.accepted(kubernetesProvider=provider, cni={"type": "Calico"})
                self.assertNotIn("Kind", messages(conditions))
        self.refused("kubernetesProvider", "EKS", kubernetesProvider="eks")

    def test_a_dump_with_every_default_draws_no_note_and_writes_nothing(self):
        dump = {
            "variant": "Calico", "flexVolumePath": "/usr/libexec/kubernetes/kubelet-plugins/volume/exec", "kubernetesProvider": "",
            "kubeletVolumePluginPath": "/var/lib/kubelet", "imagePullSecrets": [], "controlPlaneReplicas": 2,
            "cni": {"type": "Calico", "ipam": {"type": "Calico"}},
            "nodeUpdateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "1"}},
            "calicoNetwork": {"bgp": "Enabled", "hostPorts": "Enabled", "linuxDataplane": "Iptables", "multiInterfaceMode": "None",
                              "containerIPForwarding": "Disabled", "mtu": 0, "nodeAddressAutodetectionV4": {"firstFound": True},
                              "windowsDataplane": "Disabled"}}
        # An MTU of 0 is in the environment of calico-node, as with Tigera's operator; nothing else is worth a new pod.
        self.accepted(calicoNetwork={"mtu": 0})
        before = self.generations()
        self.assertNotIn("spec.", messages(self.accepted(**dump)))
        self.assertEqual(self.generations(), before)
        time.sleep(1)  # pools and settings are looked at after the objects, and told of
        start = environment.now_rfc3339()
        self.accepted(**dump)
        time.sleep(1)
        self.assertEqual(cluster.audit_writes(start, [environment.OPERATOR_USER]), [])

    def test_values_that_ask_for_nothing_draw_no_note(self):
        conditions = self.accepted(**{
            "controlPlaneTolerations": [], "controlPlaneNodeSelector": {}, "componentResources": [], "serviceCIDRs": [],
            "typhaAffinity": {}, "kubeletVolumePluginPath": "None",
            "calicoNetwork": {"sysctl": [], "nodeAddressAutodetectionV4": {"firstFound": True, "interface": "", "cidrs": []}}})
        self.assertNotIn("spec.", messages(conditions))

    def test_what_nothing_obeys_is_listed(self):
        self.assertIn("spec.proxy", messages(self.accepted(proxy={"httpProxy": "http://proxy.example.com:3128"})))

    def test_tolerations_of_the_control_plane_are_typhas(self):
        wanted = [{"key": "infra", "operator": "Exists", "effect": "NoSchedule"}]
        self.accepted(controlPlaneTolerations=wanted)
        self.assertEqual(cluster.kube.get(TYPHA)["spec"]["template"]["spec"]["tolerations"], wanted)

    def test_wrong_shapes_are_refused_by_path(self):
        preferred = [{"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]
        template = lambda **spec: {"spec": {"template": {"spec": spec}}}
        node = "spec.calicoNodeDaemonSet.spec.template.spec.containers[0]"
        required = "requiredDuringSchedulingIgnoredDuringExecution"
        for words, spec in (
                (["spec.controlPlaneNodeSelector.nodeSelector"], {"controlPlaneNodeSelector": {"nodeSelector": {"a": "b"}}}),
                (["spec.controlPlaneTolerations[0].value", "string"], {"controlPlaneTolerations": [{"key": "a", "value": True}]}),
                ([f"spec.typhaAffinity.nodeAffinity.{required}"], {"typhaAffinity": {"nodeAffinity": {required: preferred}}}),
                (['unknown field "spec.typhaAffinity.nodeaffinity"'], {"typhaAffinity": {"nodeaffinity": {}}}),
                ([f'unknown field "{node}.env"'],
                 {"calicoNodeDaemonSet": template(containers=[{"name": "calico-node", "env": [{"name": "A", "value": "b"}]}])}),
                ([f"{node}.name", "calico-node"], {"calicoNodeDaemonSet": template(containers=[{"name": "node"}])}),
                (['unknown field "spec.typhaDeployment.spec.replicas"', 'unknown field "spec.typhaDeployment.spec.tolerations"'],
                 {"typhaDeployment": {"spec": {"replicas": 5, "tolerations": [{"operator": "Exists"}]}}}),
                (['unknown field "spec.componentResources[0].resourceRequirements.limit"'],
                 {"componentResources": [{"componentName": "Node", "resourceRequirements": {"limit": {"memory": "1Gi"}}}]})):
            with self.subTest(words[0]):
                self.refused(*words, **spec)

    def test_two_autodetection_methods_are_one_too_many(self):
        self.refused("nodeAddressAutodetectionV4", calicoNetwork={"nodeAddressAutodetectionV4": {"firstFound": True, "interface": "eth0"}})

    def test_first_found_false_is_no_method(self):
        pool = {"name": "default-ipv4-ippool", "blockSize": 26, "cidr": "192.168.0.0/16", "encapsulation": "VXLANCrossSubnet",
                "natOutgoing": "Enabled", "nodeSelector": "all()"}
        self.accepted(calicoNetwork={"ipPools": [pool], "nodeAddressAutodetectionV4": {"firstFound": False, "interface": "eth.*|en.*"}})
        self.assertEqual(node_variables()["IP_AUTODETECTION_METHOD"], "interface=eth.*|en.*")

    def test_pools_of_ipv6_alone_make_no_ipv4_installation(self):
        pool = {"cidr": "fd00:42::/112", "blockSize": 122, "encapsulation": "None", "natOutgoing": "Enabled"}
        self.accepted(calicoNetwork={"bgp": "Enabled", "ipPools": [pool], "nodeAddressAutodetectionV6": {"firstFound": True}})
        # The pool of before stays until somebody deletes it: without Calico's API server its addresses would be lost.
        cluster.kube.delete("/apis/crd.projectcalico.org/v1/ippools/default-ipv4-ippool")
        wanted = ("none", "autodetect", "true")
        kubes.wait_for("addresses of IPv6 alone", lambda: tuple(
            node_variables()[name] for name in ("IP", "IP6", "FELIX_IPV6SUPPORT")) == wanted, 15)

    def test_typhas_affinity_stands_beside_its_own(self):
        own = cluster.kube.get(TYPHA)["spec"]["template"]["spec"]["affinity"]
        term = lambda key, value: {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]}
        for nodes in ({"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": term("example.com/mode", "system")}]},
                      {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term("kubernetes.io/os", "linux")]}}):
            self.assertNotIn("typhaAffinity", messages(self.accepted(typhaAffinity={"nodeAffinity": nodes})))
            self.assertEqual(cluster.kube.get(TYPHA)["spec"]["template"]["spec"]["affinity"], {**own, "nodeAffinity": nodes})

    def test_registry_path_and_prefix_of_a_mirror(self):
        self.accepted(registry="docker.io", imagePath="rancher", imagePrefix="mirrored-calico-")
        images = {c["image"].rpartition(":")[0] for path in (DAEMONSET, TYPHA) for c in containers(path)}
        self.assertEqual(images, {f"docker.io/rancher/mirrored-calico-{name}" for name in (
            "node", "calico", "third-party-cni-plugins", "key-cert-provisioner")})
        self.before = self.generations()
        self.degraded("spec.registry", registry="https://registry.example.com")


class VirtualNodeTest(InputTest):

    def setUp(self):
        super().setUp()
        node = lambda name, **labels: {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {
            "kubernetes.io/os": "linux", "kubernetes.io/hostname": name, **labels}}}
        nodes = [node(f"worker-{i}") for i in (1, 2)] + [node(f"fargate-{i}", **{"eks.amazonaws.com/compute-type": "fargate"}) for i in range(40)]
        cluster.kube.create_many("/api/v1/nodes", nodes)
        self.addCleanup(self.remove, nodes)

    @staticmethod
    def remove(nodes):
        """The nodes, and the pods that wait for a kubelet there."""
        for node in nodes:
            cluster.kube.delete(f"/api/v1/nodes/{node['metadata']['name']}")
        pods = "/api/v1/namespaces/calico-system/pods"
        def gone():
            left = [pod["metadata"]["name"] for pod in cluster.kube.items(pods) if pod["spec"].get("nodeName")]
            for name in left:
                cluster.kube.delete(f"{pods}/{name}?gracePeriodSeconds=0")
            return not left
        kubes.wait_for("the pods of the nodes to go", gone, 30)

    def test_they_count_neither_for_typha_nor_for_calico_node(self):
        time.sleep(5)
        self.assertEqual(cluster.kube.get(TYPHA)["spec"]["replicas"], 1)

    def test_an_affinity_keeps_calico_node_from_them(self):
        affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "eks.amazonaws.com/compute-type", "operator": "NotIn", "values": ["fargate"]}]}]}}}
        generation = apply(calicoNodeDaemonSet={"spec": {"template": {"spec": {"affinity": affinity}}}})["metadata"]["generation"]
        self.assertNotIn("calicoNodeDaemonSet", messages(judged(generation)))
        self.assertEqual(cluster.kube.get(DAEMONSET)["spec"]["template"]["spec"]["affinity"], affinity)
        kubes.wait_for("pods for the two workers alone", lambda: cluster.kube.get(DAEMONSET)["status"]["desiredNumberScheduled"] == 2, 30,
                       explain=lambda: json.dumps(cluster.kube.get(DAEMONSET)["status"]))
        told = lambda: [line for line in messages(install.conditions(cluster.kube)).splitlines()
                        if "fargate-" in line and '"calico-system/calico-node"' in line]
        kubes.wait_for("no pod of calico-node on virtual nodes in the status", lambda: not told(), 30, explain=lambda: str(told()))


if __name__ == "__main__":
    unittest.main()
