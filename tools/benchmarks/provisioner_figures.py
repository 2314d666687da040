"""Figures of key-cert-provisioner, beside the reference's where PEER_PROVISIONER names its binary."""

import atexit
import base64
import ctypes
import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

from benchmarks import figures, relay as relays
from deployment import install, kube as kubes
from e2e import environment

CROWD = 100
SINGLE_RSA = 60  # an RSA key is a lottery: so many means are within some milliseconds
FOREIGN = 5_000
RECORDED_CROWD = 5.3  # seconds, the reference's faster release


class Run:
    """One process with a pod of its own."""

    number = 0

    def __init__(self, cluster, program, key, server=None, in_cluster=False, **variables):
        Run.number += 1
        number = Run.number
        self.cluster, self.program = cluster, program
        self.pod = environment.bound_pod(cluster, f"bench-{number}", "calico-node", f"10.9.{number // 250}.{number % 250 + 1}")
        # In memory, as a pod's volume of `medium: Memory` is: fsync on a disk is the disk's figure.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="calico-bench-", dir="/dev/shm"))
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        self.environment = environment.provisioner_environment(cluster, self.pod, self.directory, f"bench-{number}",
                                                               KEY_ALGORITHM=key, **variables)
        if server:
            path = pathlib.Path(self.environment["KUBECONFIG"])
            view = json.loads(path.read_text(encoding="utf-8"))
            view["clusters"][0]["cluster"]["server"] = server
            path.write_text(json.dumps(view), encoding="utf-8")
        self.enter = self._in_cluster() if in_cluster else None

    def _in_cluster(self):
        """Gives the process what a pod has, and no kubeconfig; the function that puts the files into place, in the new process."""
        view = json.loads(pathlib.Path(self.environment.pop("KUBECONFIG")).read_text(encoding="utf-8"))
        host, port = self.cluster.endpoint()
        self.environment.update(KUBERNETES_SERVICE_HOST=host, KUBERNETES_SERVICE_PORT=str(port))
        files = self.directory / "secrets" / "kubernetes.io" / "serviceaccount"
        files.mkdir(parents=True)
        (files / "token").write_text(view["users"][0]["user"]["token"], encoding="utf-8")
        (files / "ca.crt").write_bytes(base64.b64decode(view["clusters"][0]["cluster"]["certificate-authority-data"]))
        (files / "namespace").write_text(self.pod["metadata"]["namespace"], encoding="utf-8")
        source = str(self.directory).encode()
        return lambda: _bind_mount(source, b"/run")

    def start(self):
        self.started = time.monotonic()
        with open(self.directory / "log", "wb") as log:
            self.popen = subprocess.Popen([str(self.program)], env=self.environment, stdout=log, stderr=log, preexec_fn=self.enter)
        return self

    def resident_mib(self):
        """Largest resident size so far; rusage would count the memory of Python before the exec too."""
        try:
            status = pathlib.Path(f"/proc/{self.popen.pid}/status").read_text(encoding="utf-8")
        except OSError:
            return 0.0
        if not status.startswith("Name:\tkey-cert"):
            return 0.0
        return max((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), default=0.0)

    def finish(self, sample=False):
        """(wall seconds, CPU seconds, maximum RSS in MiB if sampled, whether the pair is complete)."""
        largest = 0.0
        while sample and not os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            largest = max(largest, self.resident_mib())
            time.sleep(0.0005)
        _, status, usage = os.wait4(self.popen.pid, 0)
        self.popen.returncode = os.waitstatus_to_exitcode(status)
        complete = self.popen.returncode == 0 and all((self.directory / name).exists() for name in ("tls.key", "tls.crt", "ca.crt"))
        return time.monotonic() - self.started, usage.ru_utime + usage.ru_stime, largest, complete


_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000


def _bind_mount(source, target):
    """Puts a folder over another one, for the calling process alone."""
    for code in (_LIBC.unshare(_CLONE_NEWNS), _LIBC.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None),
                 _LIBC.mount(source, target, None, _MS_BIND, None)):
        if code != 0:
            raise OSError(ctypes.get_errno(), "mount the files of a pod")


def _library_key(algorithm):
    """Wall seconds in which the library alone makes and writes one key, its program's start included."""
    started = time.monotonic()
    subprocess.run(["openssl", "genpkey", "-out", "/dev/null", *algorithm], check=True, capture_output=True)
    return time.monotonic() - started


RSA = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
P256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]


def _completed(run, sample=False):
    """run.finish(), of a run that has its pair: one that failed is no figure."""
    result = run.finish(sample)
    if not result[3]:
        raise kubes.KubeError("measure: a process ended without a pair: " + (run.directory / "log").read_text()[-500:])
    return result


def _beyond_rsa_key(cluster, program):
    """(mean ms of one pod's run, mean ms of the library's key alone), taken by turns.

    The library's program pays for its start as well; with a P-256 key, which takes no time, it pays for little else."""
    ours, keys, starts = [], [], []
    for _ in range(SINGLE_RSA):
        ours.append(_completed(Run(cluster, program, "RSAWithSize2048").start())[0])
        keys.append(_library_key(RSA))
        starts.append(_library_key(P256))
    return 1000 * sum(ours) / len(ours), 1000 * (sum(keys) / len(keys) - figures.median(starts))


def _library_crowd():
    """Median seconds from start to end of the library's keys alone, as many at once as _crowd has pods."""
    started = time.monotonic()
    processes = [subprocess.Popen(["openssl", "genpkey", "-out", "/dev/null", *RSA], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for _ in range(CROWD)]
    ends = []
    for _ in processes:
        os.wait3(0)
        ends.append(time.monotonic() - started)
    for process in processes:
        process.returncode = 0  # waited for above
    return figures.median(ends)


def _crowd(cluster, program, key, **more):
    """(median seconds of those that ended with a pair, None without any; how many did)."""
    runs = [Run(cluster, program, key, **more) for _ in range(CROWD)]
    for run in runs:
        run.start()
    ends = {}
    while len(ends) < len(runs):
        pid, status, usage = os.wait3(0)
        for run in runs:
            if run.popen.pid == pid:
                run.popen.returncode = os.waitstatus_to_exitcode(status)
                ends[pid] = (time.monotonic() - run.started, run)
    complete = [seconds for seconds, run in ends.values() if run.popen.returncode == 0 and (run.directory / "tls.key").exists()]
    return figures.median(complete) if complete else None, len(complete)


def peer_crowd(peer, crowd):
    """(median seconds of the peer, how it is shown): what `crowd(peer)` completed here, else what was recorded elsewhere."""
    recorded = "5.3-5.9 s with its keys (recorded)"
    if not peer:
        return RECORDED_CROWD, recorded
    seconds, complete = crowd(peer)
    if seconds is None:
        return RECORDED_CROWD, f"{recorded}; here all {CROWD} FAILED"
    return seconds, f"{seconds:.2f} s, {complete} of {CROWD} complete"


def _bytes(cluster, program, count):
    """The largest number of bytes that one of `count` processes at once got from the server."""
    relay = relays.Relay(*cluster.endpoint())
    runs = [Run(cluster, program, "ECDSAWithCurve256", f"https://127.0.0.1:{relay.port}") for _ in range(count)]
    for run in runs:
        run.start()
    codes = [run.finish()[3] for run in runs]
    relay.close()
    if not all(codes):
        raise kubes.KubeError("bytes: not every process ended with a pair: " + (runs[0].directory / "log").read_text()[-500:])
    return max(relay.received.values()), len(relay.received) / count


def _foreign_csrs(cluster, count):
    """Requests of somebody else, never decided."""
    pem = subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x",
                          "-keyout", "/dev/null"], check=True, capture_output=True).stdout
    spec = {"request": base64.b64encode(pem).decode(), "signerName": "example.org/other", "usages": ["client auth"]}
    cluster.kube.create_many(install.CSRS, (
        {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
         "metadata": {"name": f"foreign-{number}"}, "spec": spec} for number in range(count)))


def run(cluster, table):
    program = environment.BIN / "key-cert-provisioner"
    size = program.stat().st_size / 1e6
    table.add("provisioner binary", f"{size:.1f} MB", "8 MB", size <= 8)
    single = [_completed(Run(cluster, program, "ECDSAWithCurve256").start()) for _ in range(7)]
    seconds = figures.median([wall for wall, _, _, _ in single]) * 1000
    table.add("provisioner, 1 pod, beyond key time", f"{seconds:.0f} ms", "30 ms", seconds <= 30, note="P-256, start to exit; its key takes < 1 ms")
    resident = max(_completed(Run(cluster, program, "ECDSAWithCurve256").start(), sample=True)[2] for _ in range(5))
    table.add("provisioner resident", f"{resident:.1f} MiB", "8 MiB", resident <= 8)
    ours, library = _beyond_rsa_key(cluster, program)
    table.add("provisioner, 1 pod, RSA-2048, beyond the library's key", f"{ours - library:.0f} ms", "30 ms", ours - library <= 30,
              note=f"means of {SINGLE_RSA}: {ours:.0f} ms in all, key {library:.0f} ms")
    ec_median, ec_complete = _crowd(cluster, program, "ECDSAWithCurve256")
    rsa_median, rsa_complete = _crowd(cluster, program, "RSAWithSize2048")
    library = _library_crowd()
    peer_median, shown = peer_crowd(os.environ.get("PEER_PROVISIONER"),
                                    lambda peer: _crowd(cluster, peer, "RSAWithSize2048", in_cluster=True))
    if ec_complete < CROWD or rsa_complete < CROWD:
        raise kubes.KubeError(f"100 at once: {ec_complete} with P-256 and {rsa_complete} with RSA-2048 ended with a pair")
    table.add("provisioner, 100 at once, P-256, median", f"{ec_median:.2f} s", "1/4 of peer's RSA", ec_median <= peer_median / 4, shown,
              f"{ec_complete} of {CROWD} complete")
    table.add("provisioner, 100 at once, RSA-2048, beyond the library's keys", f"{rsa_median - library:.2f} s", "1/4 of peer's RSA",
              rsa_median - library <= peer_median / 4, shown,
              f"{rsa_complete} of {CROWD} complete; medians: {rsa_median:.2f} s in all, keys {library:.2f} s")
    most, connections = _bytes(cluster, program, CROWD)
    table.add("bytes from server, 100 at once", f"{most / 1000:.1f} kB", "20 kB", most <= 20_000, note=f"{connections:.2f} connections each")
    _foreign_csrs(cluster, FOREIGN)
    most, _ = _bytes(cluster, program, 1)
    table.add("bytes from server, 5,000 foreign CSRs", f"{most / 1000:.1f} kB", "20 kB", most <= 20_000)


resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
