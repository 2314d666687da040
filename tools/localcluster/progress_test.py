"""Tests of progress.py."""

import contextlib
import io
import threading
import unittest
from unittest import mock

from localcluster import progress


class ProgressTest(unittest.TestCase):

    def test_duration(self):
        for seconds, want in (
            (0.04, "0.0 s"),
            (3.24, "3.2 s"),
            (42.3, "42 s"),
            (192, "3 min 12 s"),
        ):
            with self.subTest(seconds):
                self.assertEqual(want, progress.duration(seconds))

    def test_slow_step_says_so_with_its_detail(self):
        said = threading.Event()
        lines = []

        def say(text):
            lines.append(text)
            said.set()

        with mock.patch.object(progress, "FIRST_SECONDS", 0.001), mock.patch.object(
            progress, "say", say
        ):
            with progress.step("work", lambda: "3 of 4"):
                self.assertTrue(said.wait(10))
        self.assertRegex(lines[0], r"work: .* s, 3 of 4$")

    def test_failure_is_said_and_passed_on(self):
        err = io.StringIO()
        with contextlib.redirect_stderr(err), self.assertRaises(ValueError), progress.step("work"):
            raise ValueError
        self.assertIn("failed: work", err.getvalue())


if __name__ == "__main__":
    unittest.main()
