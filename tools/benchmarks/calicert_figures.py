"""calicert beside cfssl, and its batch beside what OpenSSL alone needs."""

import json
import pathlib
import re
import resource
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


def _seconds(words, folder):
    """Wall seconds of one run that must succeed; its output is thrown away."""
    started = time.monotonic()
    subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.monotonic() - started


def _resident_mib(words, folder):
    """The most memory that a run had, as a small parent sees it: a child of Python counts Python's as its own."""
    result = subprocess.run(["busybox", "time", "-v", *words], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, check=True)
    # busybox takes the kilobytes that the kernel tells for pages, and prints four times as much.
    return int(re.search(rb"Maximum resident set size \(kbytes\): (\d+)", result.stderr).group(1)) / 4 / 1024


def _processor_seconds(words, folder):
    """What one run takes of a processor, whatever else runs meanwhile."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _seconds(words, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _by_turns(first, second, folder, runs, measure=_seconds):
    """Medians of two commands, by turns, so that what else runs is fair to both."""
    taken = [(measure(first, folder), measure(second, folder)) for _ in range(runs)]
    return [figures.median([pair[side] for pair in taken]) for side in (0, 1)]


def _requests(folder):
    (folder / "key.json").write_text(json.dumps({"CN": "x", "hosts": ["x.example.com"], "key": {"algo": "ecdsa", "size": 256}}))
    names = [f"leaf-{number}.example.com" for number in range(BATCH)]
    (folder / "batch.json").write_text(json.dumps([{"CN": name, "hosts": [name]} for name in names]))


def _start(table, program, cfssl, folder):
    ours, theirs = _by_turns([program, "--help"], [cfssl or program, "version"], folder, RUNS)
    table.add("calicert --help", f"{1000 * ours:.1f} ms", "10 ms", ours <= 0.010,
              f"cfssl version {1000 * theirs:.1f} ms" if cfssl else None, f"medians of {RUNS}")


def _genkey(table, program, limit, cfssl, folder):
    command = [program, "genkey", "key.json"]
    if not cfssl:
        table.add("calicert genkey, P-256", f"{1000 * _seconds(command, folder):.1f} ms", "cfssl is not installed", True)
        return
    peer = [cfssl, *command[1:]]
    ours, theirs = _by_turns(command, peer, folder, RUNS)
    alone = figures.median([_seconds([limit, "1"], folder) for _ in range(RUNS)])
    table.add("calicert genkey, P-256", f"{1000 * ours:.1f} ms", "a fifth of cfssl's", theirs / ours >= 5,
              f"{1000 * theirs:.1f} ms", f"start included, medians of {RUNS}; {theirs / ours:.1f} times as fast; "
              f"OpenSSL alone, with its start, {1000 * alone:.1f} ms")
    own, other = _resident_mib(command, folder), _resident_mib(peer, folder)
    table.add("calicert resident, genkey", f"{own:.1f} MiB", "cfssl's", own <= other, f"{other:.1f} MiB")


def _batch(table, program, limit, folder):
    command = [program, "gencert", "-ca", "ca.pem", "-ca-key", "ca-key.pem", "-batch", "batch.json"]
    ours, alone = _by_turns(command, [limit, str(BATCH)], folder, BATCH_RUNS, _processor_seconds)
    table.add(f"calicert gencert -batch, {BATCH:,} leaves", f"{BATCH / ours:.0f}/s", "90 % of OpenSSL alone", alone / ours >= 0.9,
              f"OpenSSL alone {BATCH / alone:.0f}/s",
              f"P-256 key, request, certificate, PEM, per processor second; medians of {BATCH_RUNS}, ratio {alone / ours:.2f}; "
              f"{_resident_mib(command, folder):.1f} MiB")


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
        _genkey(table, program, limit, cfssl, folder)
        _batch(table, program, limit, folder)
    size = pathlib.Path(program).stat().st_size
    peer = f"{pathlib.Path(cfssl).stat().st_size / 1e6:.1f} MB" if cfssl else None
    table.add("calicert binary", f"{size / 1e6:.1f} MB", "10 MB", size <= 10_000_000, peer, "static")
