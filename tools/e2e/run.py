"""Runs test modules, two at a time, and counts; each test prints a line when it ends."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

from localcluster import progress

# The longest first: mostly they wait for what Kubernetes takes its time for, and the others run beside them.
MODULES = ("test_main_job", "test_upgrade", "test_drift", "test_user_cluster", "test_kinds", "test_stolen_tokens", "test_inputs", "test_interference",
           "test_operator_ca", "test_calico_config", "test_uninstall", "test_signer_attacks", "test_adopt",
           "test_mutations", "test_operator", "test_provisioners", "test_etcd_certificates", "test_real_server", "test_schema",
           "test_definitions", "test_calicert")
# What takes too long for every run.
SOAKS = ("soak_idle", "soak_mutations", "soak_upgrade")
# Each module has a cluster of its own. More of them would be too much for two cores.
LANES = 2
TOOLS = pathlib.Path(__file__).resolve().parent.parent


class _Result(unittest.TextTestResult):
    """Counts what passed, and says so while it runs."""

    def __init__(self, stream, descriptions, verbosity):
        super().__init__(stream, descriptions, 0)
        self.passed = 0
        self._started = {}

    def startTest(self, test):
        super().startTest(test)
        self._started[test] = time.monotonic()

    def _say(self, test, word):
        progress.say(f"  {word} {test} ({progress.duration(time.monotonic() - self._started.get(test, time.monotonic()))})")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1
        self._say(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._say(test, "FAILED")

    def addError(self, test, err):
        super().addError(test, err)
        self._say(test, "FAILED")


def run(module):
    """(passed, failed) of the module in this process; one whose set-up fails counts as one failure."""
    suite = unittest.defaultTestLoader.loadTestsFromName(f"e2e.{module}")
    result = unittest.TextTestRunner(stream=sys.stderr, resultclass=_Result, verbosity=0).run(suite)
    return result.passed, len(result.failures) + len(result.errors)


def _run_apart(module):
    """The same in a process of its own: (passed, failed, what it has printed)."""
    progress.say(f"  begins: end-to-end {module}")
    done = subprocess.run([sys.executable, "-m", "e2e.run", module], check=False, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": str(TOOLS)})
    counted = re.search(r"(\d+) passed, (\d+) failed\n\Z", done.stdout)
    passed, failed = map(int, counted.groups()) if counted else (0, 1)
    return passed, max(failed, int(done.returncode != 0)), done.stdout


def run_all(modules):
    """Yields (module, passed, failed) in the order in which they end. What a module prints comes in one piece."""
    if len(modules) == 1:
        yield modules[0], *run(modules[0])
        return
    with concurrent.futures.ThreadPoolExecutor(LANES) as lanes:
        running = {lanes.submit(_run_apart, module): module for module in modules}
        for future in concurrent.futures.as_completed(running):
            passed, failed, printed = future.result()
            progress.say(f"end-to-end: {running[future]}\n{printed.rstrip()}")
            yield running[future], passed, failed


if __name__ == "__main__":
    _passed, _failed = run(sys.argv[1])
    print(f"{_passed} passed, {_failed} failed")
    sys.exit(int(_failed > 0))
