"""Runs test modules one after the other and counts; each test prints a line when it ends."""

import sys
import time
import unittest

from localcluster import progress

# Fast and telling ones first.
MODULES = ("test_real_server", "test_schema", "test_definitions", "test_signer_attacks", "test_stolen_tokens", "test_inputs",
           "test_interference", "test_operator", "test_provisioners", "test_user_cluster", "test_drift", "test_main_job")
# What takes too long for every run.
SOAKS = ("soak_idle",)


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


def run(names):
    """(passed, failed) of these modules; a module whose set-up fails counts as one failure."""
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(stream=sys.stderr, resultclass=_Result, verbosity=0).run(suite)
    return result.passed, len(result.failures) + len(result.errors)
