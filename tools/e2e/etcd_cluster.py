"""Real etcd members as processes of this machine, and certificates that openssl makes for them, good and bad."""

import json
import os
import pathlib
import socket
import ssl
import subprocess
import time

from localcluster import binaries

ADDRESS = "127.0.0.1"


def programs():
    """The etcd, etcdctl and kube-apiserver that tools/setup has built."""
    assets = binaries.assets_folder()
    return binaries.resolve(binaries.default_release(assets), assets)


def free_ports(count):
    """Ports that nobody has at the moment."""
    sockets = [socket.create_server((ADDRESS, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def until(question, seconds, what):
    """The first true answer; an error that names `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {seconds} s: {what}")
        time.sleep(0.1)


class Process:
    """One program with a log; ended by its id."""

    def __init__(self, words, log):
        self.words, self.path = [str(word) for word in words], pathlib.Path(log)
        self._log = open(log, "ab")
        self.popen = subprocess.Popen(self.words, stdout=self._log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def log(self):
        return self.path.read_text(encoding="utf-8", errors="replace")

    def is_running(self):
        return self.popen.poll() is None

    def stop(self):
        if self.is_running():
            self.popen.terminate()
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        self._log.close()


def member(program, folder, flags, client_url, peer_url, more=()):
    """Starts one etcd with TLS flags, for instance those of `calicert etcd flags`."""
    name = next(flag for flag in flags if flag.startswith("--name=")).split("=", 1)[1]
    words = [program, *flags, f"--data-dir={folder / name}.data", f"--listen-client-urls={client_url}",
             f"--listen-peer-urls={peer_url}", "--initial-cluster-token=calicert", "--log-level=info",
             "--unsafe-no-fsync", *more]
    return Process(words, folder / f"{name}.log")


class Authority:
    """Signs what calicert would not: with the CA of a folder, through the openssl command."""

    def __init__(self, folder, certificate, key):
        self.folder, self.certificate, self.key = pathlib.Path(folder), certificate, key

    @classmethod
    def new(cls, folder, name):
        certificate, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
        _openssl("req", "-x509", *_NEW_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", certificate, "-days", "90")
        return cls(folder, certificate, key)

    def issue(self, name, subject="", usages="serverAuth,clientAuth", names="", days=(0, 90)):
        """FOLDER/NAME.pem and its key. `names`: subjectAltName as openssl writes it; days: from now."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}-key.pem"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        lines = ["basicConstraints=critical,CA:FALSE"]
        lines += [f"extendedKeyUsage={usages}"] if usages else []
        lines += [f"subjectAltName={names}"] if names else []
        extensions.write_text("\n".join(lines) + "\n", encoding="ascii")
        _openssl("req", "-new", *_NEW_KEY, "-subj", f"/CN={subject}" if subject else "/", "-keyout", key, "-out", request)
        if days[0] == 0:
            _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-days", days[1],
                     "-extfile", extensions, "-out", certificate, "-set_serial", str(time.monotonic_ns()))
            return certificate
        config = self.folder / f"{name}.conf"
        database = self.folder / f"{name}.index"
        database.write_text("")
        config.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={database}\nrand_serial=yes\nnew_certs_dir={self.folder}\n"
                          "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=optional\n", encoding="utf-8")
        stamp = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + each * 86400)) for each in days]
        _openssl("ca", "-batch", "-notext", "-config", config, "-cert", self.certificate, "-keyfile", self.key, "-in", request,
                 "-startdate", stamp[0], "-enddate", stamp[1], "-extfile", extensions, "-out", certificate)
        return certificate


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(map(str, words))}: {done.stderr}")


def presented(port, ca, certificate=None, key=None):
    """The serial number of what a server presents to a client that trusts `ca` and shows a pair."""
    context = ssl.create_default_context(cafile=str(ca))
    context.check_hostname = False
    if certificate:
        context.load_cert_chain(str(certificate), str(key))
    with socket.create_connection((ADDRESS, port), timeout=5) as plain, context.wrap_socket(plain) as secure:
        return secure.getpeercert()["serialNumber"]


def key_of(certificate):
    return str(certificate)[:-len(".pem")] + "-key.pem"


def calicert(program, *words, folder=None, check=True, text=None):
    done = subprocess.run([str(program), *map(str, words)], capture_output=True, text=True, check=False, cwd=folder, input=text,
                          env={"PATH": os.environ["PATH"]})
    if check and done.returncode != 0:
        raise AssertionError(f"calicert {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done


def verdicts(program, *words):
    """[(severity, check)] of `calicert etcd verify`."""
    done = calicert(program, "etcd", "verify", *words, "-o", "json", check=False)
    if done.returncode == 2:
        raise AssertionError(f"calicert etcd verify {words}: {done.stderr}")
    findings = json.loads(done.stdout)
    refused = any(finding["severity"] == "error" for finding in findings)
    assert done.returncode == int(refused), done.stdout
    return [(finding["severity"], finding["check"]) for finding in findings if finding["severity"] != "note"]
