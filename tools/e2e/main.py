"""tools/test: every test of the project, in parts."""

import argparse
import contextlib
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import unittest
import unittest.mock

from deployment import build
from e2e import run
from localcluster import binaries, progress

ROOT = binaries.TOOLS.parent
# Where threads are started. What only uses it is run under tsan by --sanitizers.
THREADED = ("//operator/calicert/cluster/...", "//operator/calicert/command/...", "//operator/controllers/certificates/...",
            "//operator/controllers/csr/...", "//operator/provision/...", "//operator/standin/...", "//pkg/aio/...",
            "//pkg/base/...", "//pkg/http/...", "//pkg/kube/auth/...", "//pkg/kube/lease/...", "//pkg/net/...",
            "//pkg/pki:issue_test", "//pkg/serving/...")
# What says something only where no sanitizer has memory of its own.
PLAIN = ("//operator/certificates:wipe_test", "//operator/controllers/csr:address_index_test", "//operator/provision:termination_test",
         "//pkg/base/memory/...", "//pkg/http:client_wipe_test", "//pkg/kube/auth:credential_wipe_test",
         "//pkg/kube/cache:informer_memory_test", "//pkg/pki/integration:key_wipe_test")


def _flags(label):
    return [] if label == "plain" else [f"--config={label}"]


class Count:
    """Adds up; what failed is named at the end."""

    def __init__(self):
        self.passed, self.failed, self.names = 0, 0, []

    def add(self, passed, failed, name):
        self.passed += passed
        self.failed += failed
        if failed:
            self.names.append(name)


def bazel_tests(count, label, targets=("//...",), bazel=None):
    """Runs Bazel tests as .bazelrc's `label` says; a target counts as one."""
    with progress.step(f"bazel test {label}"):
        result = subprocess.run([*(bazel or build.bazel_command([])), "test", "--keep_going", *_flags(label), *targets], cwd=ROOT, check=False,
                                stdout=subprocess.PIPE, text=True)
    passed = len(re.findall(r"^//\S+\s+(?:\(cached\) )?PASSED", result.stdout, re.MULTILINE))
    bad = re.findall(r"^(//\S+)\s+(?:FAILED|TIMEOUT|NO STATUS).*", result.stdout, re.MULTILINE)
    if bad or result.returncode != 0:
        sys.stderr.write(result.stdout)
    count.add(passed, max(len(bad), 0 if result.returncode == 0 else 1), f"bazel test {label}: {' '.join(bad)}")


def aside():
    """Bazel with a new server that takes the processor only where nobody else wants it."""
    bazel = ["nice", "-n", "19", *build.bazel_command([])]
    subprocess.run([*bazel, "shutdown"], cwd=ROOT, check=True)
    server = subprocess.run([*bazel, "info", "server_pid"], cwd=ROOT, check=True, capture_output=True, text=True)
    # The server's session has its own share of the processor, whatever the priorities in it: sched(7), autogroup.
    with contextlib.suppress(OSError):
        pathlib.Path(f"/proc/{server.stdout.strip()}/autogroup").write_text("19", encoding="ascii")
    return bazel


@contextlib.contextmanager
def building_aside(bazel, wanted):
    """Builds the tests of each (label, targets) while the body runs, which mostly waits for Kubernetes, and has an output
    base of its own for what it builds. What does not build is told when it is tested."""
    base = subprocess.run([*bazel, "info", "output_base"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    lines = [[*bazel, "build", "--keep_going", "--build_tests_only", *_flags(label), *targets] for label, targets in wanted]
    building = subprocess.Popen(["/bin/sh", "-c", "; ".join(map(shlex.join, lines))], cwd=ROOT,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        with unittest.mock.patch.dict(os.environ, {"BAZEL_OUTPUT_BASE": f"{base}-release"}):
            yield
    except BaseException:
        os.killpg(building.pid, signal.SIGINT)
        raise
    finally:
        with progress.step("rest of the build for " + ", ".join(label for label, _ in wanted)):
            building.wait()


def python_tests(count):
    """The unit tests of the tools themselves, and the lint."""
    loader = unittest.TestLoader()
    suite = unittest.TestSuite()
    for folder in ("localcluster", "deployment", "lint", "kubeschema", "benchmarks", "comparison", "mutations", "cfssl",
                   "e2e"):
        if (binaries.TOOLS / folder).is_dir():
            suite.addTests(loader.discover(str(binaries.TOOLS / folder), "*_test.py", str(binaries.TOOLS)))
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=0).run(suite)
    bad = len(result.failures) + len(result.errors)
    count.add(result.testsRun - bad, bad, "unit tests of tools/")


def lint(count):
    with progress.step("lint"):
        code = subprocess.run([str(binaries.TOOLS / "lint/lint.py")], cwd=ROOT, check=False).returncode
    count.add(int(code == 0), int(code != 0), "lint")


def cluster_proof(count):
    result = subprocess.run([str(binaries.TOOLS / "cluster_test.py")], check=False, stdout=subprocess.PIPE, text=True)
    sys.stderr.write(result.stdout)
    found = re.search(r"(\d+) passed, (\d+) failed", result.stdout)
    passed, failed = (int(found.group(1)), int(found.group(2))) if found else (0, 1)
    count.add(passed, max(failed, int(result.returncode != 0)), "tools/cluster_test.py")


def oldest_schema(count):
    """What the schema file says of the newest server must hold on the oldest one, too."""
    oldest = binaries.kubernetes_releases()[-1]
    with progress.step(f"schema of Kubernetes {oldest}"):
        code = subprocess.run([str(binaries.TOOLS / "schema"), "check", "--kubernetes", oldest], check=False).returncode
    count.add(int(code == 0), int(code != 0), f"tools/schema check --kubernetes {oldest}")


def end_to_end(count, kubernetes, modules):
    if kubernetes:
        os.environ["CALICO_E2E_KUBERNETES"] = kubernetes
    try:
        build.build("localhost/calico-operator")
    except (subprocess.CalledProcessError, OSError) as error:
        count.add(0, 1, f"build of the release: {error}")
        return
    for module, passed, failed in run.run_all(modules):
        count.add(passed, failed, f"end-to-end {module}")


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="tools/test", description="Installs, builds and runs the tests; the last line is `N passed, N failed`.",
        epilog="examples: tools/test --unit    tools/test --e2e --kubernetes 1.30    tools/test --e2e --only test_main_job")
    parser.add_argument("--unit", action="store_true", help="Bazel tests, tests of the tools, lint")
    parser.add_argument("--sanitizers", action="store_true", help="Bazel tests under asan (with ubsan) and tsan")
    parser.add_argument("--e2e", action="store_true", help="end-to-end tests on real clusters")
    parser.add_argument("--soak", action="store_true", help="end-to-end measurements that take long; never part of the default")
    parser.add_argument("--cluster", action="store_true", help="proof of tools/cluster itself")
    parser.add_argument("--kubernetes", choices=binaries.kubernetes_releases(), help="release for the end-to-end tests")
    parser.add_argument("--only", choices=run.MODULES, action="append", help="these end-to-end modules only")
    options = parser.parse_args(arguments)
    default = not (options.unit or options.sanitizers or options.e2e or options.cluster or options.soak)
    count = Count()
    if default or options.unit:
        lint(count)
        python_tests(count)
        bazel_tests(count, "plain", PLAIN if default else ("//...",))
    sanitized = [("asan", ("//...",)), ("tsan", THREADED if default else ("//...",))] if default or options.sanitizers else []
    bazel = aside() if sanitized else []
    with building_aside(bazel, sanitized) if default else contextlib.nullcontext():
        if default or options.cluster:
            cluster_proof(count)
        if default or options.e2e:
            end_to_end(count, options.kubernetes, options.only or run.MODULES)
            if not (options.kubernetes or options.only):
                oldest_schema(count)
    if options.soak:
        end_to_end(count, options.kubernetes, run.SOAKS)
    for label, targets in sanitized:
        bazel_tests(count, label, targets, bazel)
    for name in count.names:
        print(f"failed: {name}", file=sys.stderr)
    print(f"{count.passed} passed, {count.failed} failed")
    return 0 if count.failed == 0 and count.passed else 1
