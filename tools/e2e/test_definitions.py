"""Our CustomResourceDefinitions in a real API server: what people apply is taken as it is, what cannot be meant is refused."""

import json
import unittest

from deployment import install, kube as kubes
from e2e import environment
from localcluster import binaries

CORPUS = binaries.TOOLS.parent / "testdata" / "corpus" / "installation"
API = "operator.tigera.io/v1"
# The objects of the file that Calico's documents tell people to apply.
STOCK = (
    ("Installation", {"calicoNetwork": {"ipPools": [{
        "name": "default-ipv4-ippool", "blockSize": 26, "cidr": "192.168.0.0/16", "encapsulation": "VXLANCrossSubnet",
        "natOutgoing": "Enabled", "nodeSelector": "all()"}]}}),
    ("APIServer", {}), ("Goldmane", None), ("Whisker", None))


def setUpModule():
    global cluster
    cluster = environment.Cluster("definitions", nodes=0)
    cluster.kube.kubectl("apply", "-f", "-", text=install.manifest("crds"))
    cluster.kube.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
    install.wait_for_crds(cluster.kube)


def tearDownModule():
    cluster.down()


def document(kind, spec, name="default"):
    spec = {} if spec is None else {"spec": spec}
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, **spec}


def apply(*documents, words=()):
    """What kubectl says."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
    return cluster.kube.kubectl("apply", "--validate=strict", *words, "-f", "-", text=text)


class DefinitionsTest(unittest.TestCase):

    def test_the_stock_file_is_taken_as_it_is(self):
        documents = [document(kind, spec) for kind, spec in STOCK]
        self.assertEqual(apply(*documents).count(" created"), 4)
        self.assertEqual(apply(*documents).count(" unchanged"), 4)
        for kind, _ in STOCK:
            cluster.kube.kubectl("delete", kind, "default")

    def test_installations_that_people_have_are_taken(self):
        files = [path for path in sorted(CORPUS.glob("*.yaml")) if not path.name.startswith("bad-")]
        self.assertGreater(len(files), 20)
        for path in files:
            with self.subTest(path.name):
                cluster.kube.kubectl("apply", "--validate=strict", "--dry-run=server", "-f", str(path))

    def test_what_cannot_be_meant_is_refused(self):
        network = lambda **more: {"calicoNetwork": more}
        for kind, name, spec, word in (
                ("Installation", "other", {}, "overlay"),
                ("APIServer", "other", {}, "tigera-secure"),
                ("Goldmane", "other", {}, "'default'"),
                ("Whisker", "other", {}, "'default'"),
                ("APIServer", "default", {"logging": {"apiServer": {"logSeverity": "Warning"}}}, "logSeverity"),
                ("APIServer", "default", {"apiServerDeployments": {}}, "apiServerDeployments"),
                ("ImageSet", "calico-v3", {"images": [{"image": "calico/node"}]}, "digest"),
                ("Goldmane", "default", {"metricsPort": "9"}, "metricsPort"),
                ("Installation", "default", network(nodeAddressAutodetectionV4={"firstFound": True, "canReach": "10.0.0.1"}),
                 "at most one way"),
                ("Installation", "default", network(nodeAddressAutodetectionV6={"kubernetes": "NodeInternalIP", "cidrs": ["fd00::/8"]}),
                 "at most one way"),
                ("Installation", "default", {"typhaPodDisruptionBudget": {"spec": {"minAvailable": 1, "maxUnavailable": 1}}},
                 "exclude each other")):
            with self.subTest(kind=kind, name=name, spec=spec):
                with self.assertRaises(kubes.KubeError) as refusal:
                    apply(document(kind, spec, name), words=("--dry-run=server",))
                self.assertIn(word, str(refusal.exception))

    def test_another_way_to_find_the_address_replaces_the_one_of_somebody_else(self):
        first, second = {"firstFound": True}, {"interface": "eth0"}
        spec = lambda way: {"calicoNetwork": {"nodeAddressAutodetectionV4": way}}
        apply(document("Installation", spec(first)), words=("--server-side", "--field-manager=defaults"))
        apply(document("Installation", spec(second)), words=("--server-side", "--field-manager=user", "--force-conflicts"))
        self.assertEqual(cluster.kube.get(install.INSTALLATION)["spec"], spec(second))
        cluster.kube.delete(install.INSTALLATION)


if __name__ == "__main__":
    unittest.main()
