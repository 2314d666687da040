"""calicert beside cfssl, and its batch beside what OpenSSL alone needs."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from benchmarks import figures
from deployment import build

CALICERT = "//operator/cmd/calicert:calicert"
LIMIT = "//tools/benchmarks:openssl_limit"
RUNS = 31
BATCH = 1000
BATCH_RUNS = 7
MEBIBYTE = 1 << 20


def _run(words, folder, stdin=None):
    """(wall seconds, resident bytes) of one run that must succeed; its output is thrown away."""
    started = time.monotonic()
    with subprocess.Popen(words, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        if stdin:
            process.stdin.write(stdin)
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"measure: {words}: exit code {process.returncode}")
    return time.monotonic() - started, usage.ru_maxrss * 1024


def _by_turns(first, second, runs):
    """Medians of seconds and the largest residents of two functions, so that what else runs is fair to both."""
    taken = [(first(), second()) for _ in range(runs)]
    return [(figures.median([pair[side][0] for pair in taken]), max(pair[side][1] for pair in taken)) for side in (0, 1)]


def _requests(folder):
    (folder / "key.json").write_text(json.dumps({"CN": "x", "hosts": ["x.example.com"], "key": {"algo": "ecdsa", "size": 256}}))
    names = [f"leaf-{number}.example.com" for number in range(BATCH)]
    (folder / "batch.json").write_text(json.dumps([{"CN": name, "hosts": [name]} for name in names]))


def _start(table, program, cfssl, folder):
    ours, theirs = _by_turns(lambda: _run([program, "--help"], folder), lambda: _run([cfssl or program, "version"], folder), RUNS)
    table.add("calicert --help", f"{1000 * ours[0]:.1f} ms", "10 ms", ours[0] <= 0.010,
              f"cfssl version {1000 * theirs[0]:.1f} ms" if cfssl else None, f"medians of {RUNS}")


def _genkey(table, program, cfssl, folder):
    if not cfssl:
        table.add("calicert genkey, P-256", f"{1000 * _run([program, 'genkey', 'key.json'], folder)[0]:.1f} ms", "cfssl is not installed",
                  True)
        return
    ours, theirs = _by_turns(lambda: _run([program, "genkey", "key.json"], folder), lambda: _run([cfssl, "genkey", "key.json"], folder),
                             RUNS)
    ratio = theirs[0] / ours[0]
    table.add("calicert genkey, P-256", f"{1000 * ours[0]:.1f} ms", "a fifth of cfssl's", ratio >= 5,
              f"{1000 * theirs[0]:.1f} ms", f"start included, medians of {RUNS}; {ratio:.1f} times as fast")
    table.add("calicert resident, genkey", f"{ours[1] / MEBIBYTE:.1f} MiB", "cfssl's", ours[1] <= theirs[1],
              f"{theirs[1] / MEBIBYTE:.1f} MiB")


def _batch(table, program, limit, folder):
    command = [program, "gencert", "-ca", "ca.pem", "-ca-key", "ca-key.pem", "-batch", "batch.json"]
    ours, alone = _by_turns(lambda: _run(command, folder), lambda: _run([limit, str(BATCH)], folder), BATCH_RUNS)
    ratio = alone[0] / ours[0]
    table.add(f"calicert gencert -batch, {BATCH:,} leaves", f"{BATCH / ours[0]:.0f}/s", "90 % of OpenSSL alone", ratio >= 0.9,
              f"OpenSSL alone {BATCH / alone[0]:.0f}/s",
              f"P-256 key, request, certificate, PEM; medians of {BATCH_RUNS}, ratio {ratio:.2f}; {ours[1] / MEBIBYTE:.1f} MiB")


def run(table):
    programs = build.compile_release([CALICERT, LIMIT])
    program, limit = str(programs[CALICERT]), str(programs[LIMIT])
    cfssl = shutil.which("cfssl")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        _requests(folder)
        made = subprocess.run([program, "gencert", "-initca", "-"], input=b'{"CN": "CA"}', stdout=subprocess.PIPE, check=True,
                              stderr=subprocess.DEVNULL)
        subprocess.run([program, "cfssljson", "-bare", "ca"], input=made.stdout, cwd=folder, check=True)
        _start(table, program, cfssl, folder)
        _genkey(table, program, cfssl, folder)
        _batch(table, program, limit, folder)
    size = pathlib.Path(program).stat().st_size
    peer = f"{pathlib.Path(cfssl).stat().st_size / 1e6:.1f} MB" if cfssl else None
    table.add("calicert binary", f"{size / 1e6:.1f} MB", "10 MB", size <= 10_000_000, peer, "static")
