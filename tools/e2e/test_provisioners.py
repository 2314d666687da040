"""key-cert-provisioner against a real API server and our signer: every algorithm, and a hundred at once."""

import concurrent.futures
import os
import shutil
import stat
import time
import unittest

from deployment import install
from e2e import environment
from e2e.environment import openssl

PAIRS = [(key, signature) for key in ("RSAWithSize2048", "RSAWithSize4096", "RSAWithSize8192")
         for signature in ("SHA256WithRSA", "SHA384WithRSA", "SHA512WithRSA")]
PAIRS += [(key, signature) for key in ("ECDSAWithCurve256", "ECDSAWithCurve384", "ECDSAWithCurve521")
          for signature in ("ECDSAWithSHA256", "ECDSAWithSHA384", "ECDSAWithSHA512")]
PAIRS += [("", ""), ("ECDSAWithCurve384", "")]
CROWD = 100


def setUpModule():
    global cluster, signer
    cluster = environment.Cluster("certs", nodes=0)
    cluster.deploy()
    cluster.kube.apply(install.INSTALLATION, install.installation(
        {"certificateManagement": install.certificate_management(cluster.ca)}))
    global operator
    operator = cluster.start_operator()  # service accounts and roles as it makes them
    environment.kubes.wait_for("the operator's service accounts", lambda: cluster.kube.get(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/calico-node:csr-creator"), 30, explain=operator.text)
    environment.kubes.wait_for("service account", lambda: cluster.kube.get(
        "/api/v1/namespaces/calico-system/serviceaccounts/calico-node"), 30)
    signer = cluster.start_signer()


def tearDownModule():
    cluster.down()


class Run:
    """One provisioner with a pod of its own."""

    def __init__(self, number, **variables):
        address = f"10.{8 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"
        self.pod = environment.bound_pod(cluster, f"calico-node-t{number}", "calico-node", address)
        self.directory = cluster.folder / f"certs-{number}"
        self.directory.mkdir()
        self.environment = environment.provisioner_environment(cluster, self.pod, self.directory, f"pod-{number}", **variables)

    def start(self):
        self.process = cluster.start(f"provisioner-{self.pod['metadata']['name']}", [str(environment.BIN / "key-cert-provisioner")],
                                     self.environment)
        return self

    def finish(self, timeout=180):
        return self.process.wait(timeout)

    def file(self, name):
        return self.directory / name


class ProvisionerTest(unittest.TestCase):
    def assert_pair(self, run, signature=None):
        """Files, modes, chain, key, SANs and usages, as openssl sees them."""
        for name, mode in (("tls.key", 0o600), ("tls.crt", 0o644), ("ca.crt", 0o644)):
            self.assertEqual(stat.S_IMODE(os.stat(run.file(name)).st_mode), mode, name)
        code, said = openssl("verify", "-CAfile", str(run.file("ca.crt")), "-purpose", "sslclient", str(run.file("tls.crt")))
        self.assertEqual(code, 0, said)
        _, key = openssl("pkey", "-in", str(run.file("tls.key")), "-pubout")
        _, certified = openssl("x509", "-in", str(run.file("tls.crt")), "-noout", "-pubkey")
        self.assertEqual(key, certified)
        _, text = openssl("x509", "-in", str(run.file("tls.crt")), "-noout", "-text")
        address = run.pod["status"]["podIP"]
        for wanted in ("CN = typha-client", f"IP Address:{address}", "DNS:typha-client"):
            self.assertIn(wanted, text)
        return text

    def test_1_every_key_and_signature_algorithm(self):
        # RSA-8192 keys are the slow ones; two at a time keep both cores busy.
        runs = [Run(1000 + number, KEY_ALGORITHM=key, SIGNATURE_ALGORITHM=signature)
                for number, (key, signature) in enumerate(PAIRS)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            codes = list(pool.map(lambda run: run.start().finish(), runs))
        sizes = {"RSAWithSize2048": "(2048 bit)", "RSAWithSize4096": "(4096 bit)", "RSAWithSize8192": "(8192 bit)",
                 "ECDSAWithCurve256": "prime256v1", "ECDSAWithCurve384": "secp384r1", "ECDSAWithCurve521": "secp521r1",
                 "": "(2048 bit)"}
        for run, (key, signature), code in zip(runs, PAIRS, codes):
            with self.subTest(key=key, signature=signature):
                self.assertEqual(code, 0, run.process.text())
                self.assertIn(sizes[key], self.assert_pair(run))
                request = cluster.kube.get(environment.csr_path(environment.csr_name(run.pod)))["spec"]["request"]
                pem = environment.base64.b64decode(request).decode()
                _, text = openssl("req", "-noout", "-text", "-verify", text=pem)
                algorithm = {"WithRSA": "{}WithRSAEncryption", "": "sha256WithRSAEncryption"}
                if signature.endswith("WithRSA"):
                    self.assertIn(algorithm["WithRSA"].format(signature[:6].lower()), text)
                elif signature:
                    self.assertIn("ecdsa-with-SHA" + signature[-3:], text)

    def test_2_a_second_run_keeps_the_pair_and_asks_nothing(self):
        run = Run(2000, KEY_ALGORITHM="ECDSAWithCurve256").start()
        self.assertEqual(run.finish(), 0, run.process.text())
        before = run.file("tls.key").read_bytes()
        since = environment.now_rfc3339()
        self.assertEqual(run.start().finish(), 0)
        self.assertEqual(before, run.file("tls.key").read_bytes())
        time.sleep(0.5)
        asked = [e for e in cluster.audit_events(since) if "key-cert-provisioner" in e.get("userAgent", "")]
        self.assertEqual(asked, [])

    def test_3_an_emptied_volume_replaces_the_pods_own_request(self):
        run = Run(2001, KEY_ALGORITHM="ECDSAWithCurve256").start()
        self.assertEqual(run.finish(), 0, run.process.text())
        first = cluster.kube.get(environment.csr_path(environment.csr_name(run.pod)))["metadata"]["uid"]
        shutil.rmtree(run.directory)
        run.directory.mkdir()
        self.assertEqual(run.start().finish(), 0, run.process.text())
        self.assertNotEqual(first, cluster.kube.get(environment.csr_path(environment.csr_name(run.pod)))["metadata"]["uid"])
        self.assert_pair(run)

    def test_4_a_name_held_by_somebody_else_is_taken(self):
        run = Run(2002, KEY_ALGORITHM="ECDSAWithCurve256")
        name = environment.csr_name(run.pod)
        _, pem = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x",
                         "-keyout", "/dev/null")
        pem = pem[pem.index("-----BEGIN CERTIFICATE REQUEST"):]
        cluster.kube.request("POST", install.CSRS, {
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name},
            "spec": {"request": environment.base64.b64encode(pem.encode()).decode(), "signerName": "example.com/other",
                     "usages": ["client auth"]}})
        self.assertEqual(run.start().finish(), 0, run.process.text())
        self.assertIn("made by 'admin'", run.process.text())
        self.assert_pair(run)

    def test_5_a_denial_ends_at_once_with_its_rule(self):
        run = Run(2003, KEY_ALGORITHM="ECDSAWithCurve256", DNS_NAMES="typha-client,evil.example.com").start()
        started = time.monotonic()
        self.assertEqual(run.finish(), 3, run.process.text())
        self.assertLess(time.monotonic() - started, 10)
        self.assertIn("rule dns-names", run.process.text())
        first = self.request_uid(run)
        self.assertEqual(run.start().finish(), 3, run.process.text())
        self.assertEqual(first, self.request_uid(run), "a denial stands over restarts")
        cluster.kube.delete(environment.csr_path(environment.csr_name(run.pod)))
        self.assertEqual(run.start().finish(), 3, run.process.text())
        self.assertNotEqual(first, self.request_uid(run), "what was deleted is asked for again")

    def test_6_an_api_server_restart_does_not_end_the_wait(self):
        signer.kill()
        run = Run(2004, KEY_ALGORITHM="ECDSAWithCurve256").start()
        environment.kubes.wait_for("the request", lambda: cluster.kube.get(
            environment.csr_path(environment.csr_name(run.pod))), 20, explain=run.process.text)
        cluster.restart("kube-apiserver")
        self.assertIsNone(run.process.popen.poll(), "the provisioner ended with the API server")
        globals()["signer"] = cluster.start_signer()
        self.assertEqual(run.finish(), 0, run.process.text())
        self.assert_pair(run)

    def test_7_a_hundred_at_once_all_end_with_a_complete_pair(self):
        runs = [Run(3000 + number, KEY_ALGORITHM="ECDSAWithCurve256") for number in range(CROWD)]
        started = time.monotonic()
        for run in runs:
            run.start()
        codes = [run.finish() for run in runs]
        print(f"    {CROWD} provisioners at once: {time.monotonic() - started:.1f} s", flush=True)
        self.assertEqual(codes, [0] * CROWD, [run.process.text() for run, code in zip(runs, codes) if code][:2])
        for run in runs:
            self.assert_pair(run)

    def test_8_what_is_issued_between_two_starts_counts(self):
        signer.kill()
        run = Run(2005, KEY_ALGORITHM="ECDSAWithCurve256", EXTENDED_KEY_USAGES="client auth", TIMEOUT_DURATION="2s").start()
        self.assertEqual(run.finish(), 4, run.process.text())
        self.assertEqual(stat.S_IMODE(os.stat(run.file("..request")).st_mode), 0o600)
        first = self.request_uid(run)
        globals()["signer"] = cluster.start_signer()
        path = environment.csr_path(environment.csr_name(run.pod))
        environment.kubes.wait_for("the certificate", lambda: cluster.kube.get(path).get("status", {}).get("certificate"), 30)
        self.assertEqual(run.start().finish(), 0, run.process.text())
        self.assertEqual(first, self.request_uid(run))
        self.assertFalse(run.file("..request").exists())
        text = self.assert_pair(run)
        self.assertIn("TLS Web Client Authentication", text)
        for unwanted in ("TLS Web Server Authentication", "Key Encipherment", "Key Agreement"):
            self.assertNotIn(unwanted, text)

    def request_uid(self, run):
        return cluster.kube.get(environment.csr_path(environment.csr_name(run.pod)))["metadata"]["uid"]


if __name__ == "__main__":
    unittest.main()
