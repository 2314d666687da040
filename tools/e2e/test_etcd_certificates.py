"""`calicert etcd` beside real etcd: members run on its files and through their renewal, and refuse what it says they refuse."""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

from deployment import build
from e2e import etcd_cluster
from e2e.etcd_cluster import ADDRESS, key_of, until

# What a member writes about a peer that it refuses, or that refuses it.
REFUSAL = re.compile(r"x509: |tls: |rejected connection")


def setUpModule():
    global calicert, programs, folder
    calicert = build.DIST / "bin/calicert"
    programs = etcd_cluster.programs()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="calico-e2e-etcd-"))


def tearDownModule():
    shutil.rmtree(folder)


def description(ports):
    members = "".join(f"- name: m{i}\n  clientURLs: [\"https://{ADDRESS}:{ports[2 * i]}\"]\n"
                      f"  peerURLs: [\"https://{ADDRESS}:{ports[2 * i + 1]}\"]\n" for i in range(3))
    return f"members:\n{members}" + """
users:
- name: root
- name: alice
  grants: [{prefix: /a/, permission: readwrite}]
- name: kube-apiserver
  grants:
  - {prefix: /registry/, permission: readwrite}
  - {key: compact_rev_key, permission: readwrite}
"""


class ClusterTest(unittest.TestCase):
    """Three members, from `etcd generate` to the renewal of everything. Tests run in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.folder = folder / "cluster"
        cls.folder.mkdir()
        cls.certs = cls.folder / "certs"
        cls.ports = etcd_cluster.free_ports(6)
        cls.members = {}
        cls.apiserver = None
        (cls.folder / "etcd.yaml").write_text(description(cls.ports), encoding="ascii")
        try:
            cls.calicert("generate")
            cls.flags = cls.read_flags()
            for name in cls.flags:
                cls.start(name)
            until(lambda: cls.etcdctl("root", "endpoint", "health").returncode == 0, 20, "a healthy cluster of three members")
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        for process in [cls.apiserver, *cls.members.values()]:
            if process:
                process.stop()

    @classmethod
    def calicert(cls, *words, check=True, text=None):
        return etcd_cluster.calicert(calicert, "etcd", *words, folder=cls.folder, check=check, text=text)

    @classmethod
    def read_flags(cls):
        flags = {}
        for block in cls.calicert("flags", "--at", cls.certs).stdout.strip().split("\n\n"):
            lines = block.splitlines()
            flags[lines[0][2:]] = lines[1:]
        return flags

    @classmethod
    def start(cls, name):
        index = int(name[1:])
        cls.members[name] = etcd_cluster.member(
            programs.program("etcd"), cls.folder, cls.flags[name], f"https://{ADDRESS}:{cls.ports[2 * index]}",
            f"https://{ADDRESS}:{cls.ports[2 * index + 1]}")

    @classmethod
    def environment(cls, certificate):
        endpoints = ",".join(f"https://{ADDRESS}:{port}" for port in cls.ports[::2])
        return {"PATH": f"{programs.program('etcdctl').parent}:{os.environ['PATH']}", "ETCDCTL_ENDPOINTS": endpoints,
                "ETCDCTL_CACERT": str(cls.certs / "ca.pem"), "ETCDCTL_CERT": str(certificate),
                "ETCDCTL_KEY": key_of(certificate), "ETCDCTL_DIAL_TIMEOUT": "1s", "ETCDCTL_COMMAND_TIMEOUT": "3s"}

    @classmethod
    def etcdctl(cls, user, *words):
        """As a user of the cluster, or with the pair of a path."""
        certificate = user if isinstance(user, pathlib.Path) else cls.certs / f"user-{user}.pem"
        return subprocess.run(["etcdctl", *words], capture_output=True, text=True, check=False,
                              env=cls.environment(certificate))

    def serials(self):
        """What the six ports present."""
        user = self.certs / "user-root.pem"
        return [etcd_cluster.presented(port, self.certs / "ca.pem", user, key_of(user)) for port in self.ports]

    def errors(self, *words, text=None):
        done = self.calicert("verify", *words, "-o", "json", check=False, text=text)
        return [finding["check"] for finding in json.loads(done.stdout) if finding["severity"] == "error"]

    def test_1_verify_has_nothing_to_say(self):
        self.assertEqual(self.calicert("verify", "--strict").stdout, "")
        self.assertEqual(self.calicert("verify", "--running", "--strict").stdout, "")
        self.assertEqual(self.calicert("generate").stdout, "")

    def test_2_users_are_common_names(self):
        commands = self.calicert("users").stdout
        done = subprocess.run(["sh", "-ec", commands], capture_output=True, text=True, check=False,
                              env=self.environment(self.certs / "user-root.pem"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.etcdctl("alice", "put", "/a/x", "1").returncode, 0)
        denied = self.etcdctl("alice", "put", "/b/x", "1")
        self.assertNotEqual(denied.returncode, 0)
        self.assertIn("permission denied", denied.stderr)
        self.assertEqual(self.errors("--users", "-", text=self.etcdctl("root", "user", "list").stdout), [])

    def test_3_clients_are_refused_as_verify_says(self):
        ca = etcd_cluster.Authority(self.folder, self.certs / "ca.pem", self.certs / "ca-key.pem")
        foreign = etcd_cluster.Authority.new(self.folder, "foreign-ca")
        users = self.etcdctl("root", "user", "list").stdout
        cases = {
            "user": ca.issue("bob", "bob", "clientAuth"),
            "chain": foreign.issue("foreign-alice", "alice", "clientAuth"),
            "usage": ca.issue("alice-serves", "alice", "serverAuth"),
            "clock": ca.issue("alice-was", "alice", "clientAuth", days=(-20, -10)),
            None: ca.issue("alice-any", "alice", ""),
        }
        for check, certificate in cases.items():
            with self.subTest(certificate.name):
                done = self.etcdctl(certificate, "put", "/a/x", "2")
                self.assertEqual(done.returncode == 0, check is None, done.stderr)
                self.assertEqual(self.errors("--ca", self.certs / "ca.pem", "--user", certificate, "--users", "-", text=users),
                                 [check] if check else [])

        # Against the running member, with the words of both sides.
        url = f"https://{ADDRESS}:{self.ports[0]}"
        self.assertEqual(self.errors("--ca", self.certs / "ca.pem", "--endpoint", url, "--user", cases[None]), [])
        self.assertEqual(self.errors("--ca", foreign.certificate, "--endpoint", url, "--user", cases["chain"]),
                         ["chain", "usage", "chain"])

    def test_4_apiserver_runs_on_it(self):
        port = etcd_cluster.free_ports(1)[0]
        key = self.folder / "service-account.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        user = self.certs / "user-kube-apiserver.pem"
        words = [programs.program("kube-apiserver"), f"--bind-address={ADDRESS}", f"--secure-port={port}",
                 f"--cert-dir={self.folder / 'apiserver'}", f"--etcd-cafile={self.certs / 'ca.pem'}",
                 f"--etcd-certfile={user}", f"--etcd-keyfile={key_of(user)}",
                 "--etcd-servers=" + ",".join(f"https://{ADDRESS}:{each}" for each in self.ports[::2]),
                 "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={key}",
                 f"--service-account-signing-key-file={key}", "--service-cluster-ip-range=10.96.0.0/24",
                 "--authorization-mode=RBAC"]
        type(self).apiserver = etcd_cluster.Process(words, self.folder / "apiserver.log")
        self.ready_url = f"https://{ADDRESS}:{port}/readyz"
        type(self).ready_url = self.ready_url
        until(self.is_ready, 40, f"a ready kube-apiserver: {self.apiserver.log()[-2000:]}")

    def is_ready(self):
        context = ssl._create_unverified_context()  # its certificate is its own affair
        try:
            with urllib.request.urlopen(self.ready_url, context=context, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def test_5_renewal_of_everything_is_not_noticed(self):
        failures, stop = [], threading.Event()

        def write():
            while not stop.is_set():
                done = self.etcdctl("alice", "put", "/a/renewal", "x")
                if done.returncode != 0:
                    failures.append(done.stderr)
                time.sleep(0.2)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            before = self.serials()
            renewed = self.calicert("generate", "--renew-within", "8800h").stdout
            self.assertEqual(renewed.count("certify "), 9, renewed)
            after = self.serials()
            self.assertFalse(set(before) & set(after), "every port presents a new certificate")
            # New keys, then a CA that is renewed with its own.
            self.calicert("generate", "--force")
            self.calicert("generate", "--renew-within", "87700h", "--only", "root")
            self.assertFalse(set(after) & set(self.serials()))
            # Peers make new connections with what is there now.
            self.members["m1"].stop()
            self.start("m1")
            until(lambda: self.etcdctl("root", "endpoint", "health").returncode == 0, 20, "three healthy members again")
        finally:
            stop.set()
            writer.join()
        self.assertEqual(failures, [])
        self.assertTrue(self.is_ready())
        self.assertEqual(self.errors("--strict"), [])

    def test_6_gateway_needs_client_auth(self):
        """What verify warns of: etcd shows its server pair to itself."""
        ca = etcd_cluster.Authority(self.folder, self.certs / "ca.pem", self.certs / "ca-key.pem")
        for name, usages, works in (("both", "serverAuth,clientAuth", True), ("serves", "serverAuth", False)):
            with self.subTest(name):
                certificate = ca.issue(f"gateway-{name}", "gateway", usages, f"IP:{ADDRESS}")
                warned = ("warning", "usage") in etcd_cluster.verdicts(
                    calicert, "--ca", self.certs / "ca.pem", "--server", certificate, "--client-url", f"https://{ADDRESS}:1")
                self.assertEqual(warned, not works)
                self.assertEqual(self.gateway_works(name, certificate), works)

    def gateway_works(self, name, certificate):
        client, peer = etcd_cluster.free_ports(2)
        flags = [f"--name=gateway-{name}", f"--advertise-client-urls=https://{ADDRESS}:{client}",
                 f"--initial-advertise-peer-urls=http://{ADDRESS}:{peer}",
                 f"--initial-cluster=gateway-{name}=http://{ADDRESS}:{peer}", f"--cert-file={certificate}",
                 f"--key-file={key_of(certificate)}", "--client-cert-auth=true",
                 f"--trusted-ca-file={self.certs / 'ca.pem'}"]
        process = etcd_cluster.member(programs.program("etcd"), self.folder, flags, f"https://{ADDRESS}:{client}",
                                      f"http://{ADDRESS}:{peer}")
        context = ssl.create_default_context(cafile=str(self.certs / "ca.pem"))
        user = self.certs / "user-root.pem"
        context.load_cert_chain(str(user), key_of(user))
        request = urllib.request.Request(f"https://{ADDRESS}:{client}/v3/kv/range", b'{"key": "YQ=="}', method="POST")
        try:
            until(lambda: "ready to serve client requests" in process.log(), 10, process.log()[-1500:])
            time.sleep(0.5)
            with urllib.request.urlopen(request, context=context, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False
        finally:
            process.stop()


class TlsSetupTest(unittest.TestCase):
    """The files of etcd's hack/tls-setup with one per user: its classic generation, as people run it."""

    CONFIG = {
        "ca-config.json": {"signing": {"default": {
            "usages": ["signing", "key encipherment", "server auth", "client auth"], "expiry": "8760h"}}},
        "ca-csr.json": {"CN": "Autogenerated CA", "key": {"algo": "ecdsa", "size": 384}, "names": [{"O": "Example"}]},
        "req-csr.json": {"CN": "etcd", "hosts": ["localhost", ADDRESS], "key": {"algo": "ecdsa", "size": 384},
                         "names": [{"O": "autogenerated", "OU": "etcd cluster", "L": "the internet"}]},
        "req-calico.json": {"CN": "calico", "hosts": [""], "key": {"algo": "ecdsa", "size": 384},
                            "names": [{"O": "autogenerated", "OU": "etcd cluster", "L": "the internet"}]},
    }

    def test_members_and_user(self):
        place = folder / "tls-setup"
        (place / "config").mkdir(parents=True)
        for name, content in self.CONFIG.items():
            (place / "config" / name).write_text(json.dumps(content), encoding="ascii")
        etcd_cluster.calicert(calicert, "etcd", "generate", "-C", place)
        certs = place / "certs"
        made = {path.name for path in certs.iterdir()}
        for name in ("ca", "etcd1", "etcd2", "etcd3", "proxy1", "calico"):
            self.assertLessEqual({f"{name}.pem", f"{name}-key.pem", f"{name}.csr"}, made)
        # What is for this machine only is told of, unless the members are said to be here.
        told = etcd_cluster.calicert(calicert, "etcd", "verify", "-C", place).stdout
        self.assertIn("by which nobody on another machine dials it", told)
        here = [f"--member=etcd{i}=localhost" for i in (1, 2, 3)]
        self.assertEqual(etcd_cluster.calicert(calicert, "etcd", "verify", "--strict", "-C", place, *here).stdout, "")
        ports = etcd_cluster.free_ports(6)
        cluster = ",".join(f"etcd{i + 1}=https://localhost:{ports[2 * i + 1]}" for i in range(3))
        members = []
        try:
            for i in range(3):
                pair = [f"cert-file={certs}/etcd{i + 1}.pem", f"key-file={certs}/etcd{i + 1}-key.pem"]
                flags = [f"--name=etcd{i + 1}", f"--advertise-client-urls=https://localhost:{ports[2 * i]}",
                         f"--initial-advertise-peer-urls=https://localhost:{ports[2 * i + 1]}", f"--initial-cluster={cluster}",
                         *[f"--{flag}" for flag in pair], *[f"--peer-{flag}" for flag in pair], "--client-cert-auth",
                         "--peer-client-cert-auth", f"--trusted-ca-file={certs}/ca.pem", f"--peer-trusted-ca-file={certs}/ca.pem"]
                members.append(etcd_cluster.member(programs.program("etcd"), place, flags, f"https://{ADDRESS}:{ports[2 * i]}",
                                                   f"https://{ADDRESS}:{ports[2 * i + 1]}"))
            endpoints = ",".join(f"https://localhost:{port}" for port in ports[::2])
            words = [programs.program("etcdctl"), f"--endpoints={endpoints}", f"--cacert={certs}/ca.pem",
                     f"--cert={certs}/calico.pem", f"--key={certs}/calico-key.pem", "--dial-timeout=1s", "endpoint", "health"]
            until(lambda: subprocess.run(words, capture_output=True, check=False).returncode == 0, 20, "a healthy cluster")
            for process in members:
                self.assertNotRegex(process.log(), "rejected connection")
        finally:
            for process in members:
                process.stop()


class PeerMatrixTest(unittest.TestCase):
    """Each certificate as a member's beside one with a good one: refused by real etcd just where `verify` says so."""

    @classmethod
    def setUpClass(cls):
        cls.folder = folder / "matrix"
        cls.folder.mkdir()
        cls.ca = etcd_cluster.Authority.new(cls.folder, "matrix-ca")
        cls.foreign = etcd_cluster.Authority.new(cls.folder, "foreign-ca")
        cls.good = cls.ca.issue("good", "m2", names=f"IP:{ADDRESS},DNS:localhost")

    def run_case(self, name, certificate, host, trust):
        """Lines of either log that tell of a refusal; none when the two have found each other."""
        place = self.folder / name
        place.mkdir()
        ports = etcd_cluster.free_ports(4)
        urls = {"m1": f"https://{host}:{ports[1]}", "m2": f"https://{ADDRESS}:{ports[3]}"}
        pairs = {"m1": certificate, "m2": self.good}
        processes = {}
        try:
            for index, member in enumerate(urls):
                flags = [f"--name={member}", f"--advertise-client-urls=http://{ADDRESS}:{ports[2 * index]}",
                         f"--initial-advertise-peer-urls={urls[member]}",
                         "--initial-cluster=" + ",".join(f"{key}={url}" for key, url in urls.items()),
                         f"--peer-cert-file={pairs[member]}", f"--peer-key-file={key_of(pairs[member])}",
                         "--peer-client-cert-auth=true", f"--peer-trusted-ca-file={trust}"]
                listen = urls[member].replace("localhost", ADDRESS)
                processes[member] = etcd_cluster.member(programs.program("etcd"), place, flags,
                                                        f"http://{ADDRESS}:{ports[2 * index]}", listen)
            return until(lambda: self.outcome(processes), 20, f"{name}: the members find each other or one refuses")
        finally:
            for process in processes.values():
                process.stop()

    def outcome(self, processes):
        # m2's log alone: it has the good certificate, so that whatever it complains of is the other one's.
        lines = [line for line in processes["m2"].log().splitlines() if REFUSAL.search(line)]
        if lines:
            return "refused", lines
        logs = [process.log() for process in processes.values()]
        if all("ready to serve client requests" in log for log in logs) and all(
                log.count("established TCP streaming connection") >= 2 for log in logs):
            time.sleep(0.5)
            return "taken", []
        return None

    def cases(self):
        ip, issue = f"IP:{ADDRESS}", self.ca.issue
        # name: (certificate, host that m1 is dialled at, more flags for verify, checks of verify's errors)
        return {
            "good": (issue("c-good", "m1", names=ip), ADDRESS, [], []),
            "no-eku": (issue("c-no-eku", "m1", "", ip), ADDRESS, [], []),
            "by-name": (issue("c-by-name", "m1", names="DNS:localhost"), "localhost", [], []),
            "serves-only": (issue("c-serves-only", "m1", "serverAuth", ip), ADDRESS, [], ["usage"]),
            "client-only": (issue("c-client-only", "m1", "clientAuth", ip), ADDRESS, [], ["usage"]),
            "foreign": (self.foreign.issue("foreign-leaf", "m1", names=ip), ADDRESS, [], ["chain"]),
            "other-address": (issue("c-other", "m1", names="IP:10.0.0.11"), ADDRESS, [], ["host", "source"]),
            "zero": (issue("c-zero", "m1", names="IP:0.0.0.0"), ADDRESS, [], ["host", "source"]),
            "cn-only": (issue("c-cn-only", ADDRESS), ADDRESS, [], ["host"]),
            "empty-name": (issue("c-empty", "*", names="DER:30028200"), ADDRESS, [], ["host", "source"]),
            "wildcard": (issue("c-wildcard", "m1", names="DNS:*.etcd.example.com"), ADDRESS, ["--resolve"], ["host", "source"]),
            "lone-star": (issue("c-star", "m1", names="DNS:*"), "localhost", ["--resolve"], ["source"]),
            "address-as-name": (issue("c-as-name", "m1", names=f"DNS:{ADDRESS}"), ADDRESS, [], ["host"]),
            "name-for-address": (issue("c-name", "m1", names="DNS:localhost"), ADDRESS, ["--resolve"], ["host"]),
            "expired": (issue("c-expired", "m1", names=ip, days=(-20, -10)), ADDRESS, [], ["clock"]),
            "future": (issue("c-future", "m1", names=ip, days=(10, 20)), ADDRESS, [], ["clock"]),
            # Dialled at an address of the loopback network, from which its own connections do not come.
            "source": (issue("c-source", "m1", names="IP:127.0.0.2"), "127.0.0.2", ["--source", ADDRESS], ["source"]),
        }

    def test_verdicts_are_those_of_etcd(self):
        cases = self.cases()
        trust = self.ca.certificate
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            running = {name: pool.submit(self.run_case, name, certificate, host, trust)
                       for name, (certificate, host, _, _) in cases.items()}
            outcomes = {name: future.result() for name, future in running.items()}
        for name, (certificate, host, more, checks) in cases.items():
            with self.subTest(name):
                found = etcd_cluster.verdicts(calicert, "--ca", trust, "--peer", certificate, "--peer-url",
                                              f"https://{host}:2380", *more)
                self.assertEqual([check for severity, check in found if severity == "error"], checks)
                outcome, lines = outcomes[name]
                self.assertEqual(outcome == "refused", bool(checks), lines[:2])


if __name__ == "__main__":
    unittest.main()
