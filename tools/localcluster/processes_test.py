"""Tests of processes.py and launch.py, with real processes."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from localcluster import launch, processes
from localcluster.errors import ClusterError


class _Layout:
    """The folders that a Process asks a layout for."""

    def __init__(self, folder):
        self.folder, self.processes, self.logs = folder, folder / "processes", folder / "logs"


class ProcessTest(unittest.TestCase):

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.layout = _Layout(pathlib.Path(temporary.name))
        self.process = processes.Process(self.layout, "sleeper")
        self.addCleanup(self.process.stop, 0)

    def wait_for_log(self, text):
        deadline = time.monotonic() + 10
        while text not in self.process.tail() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertIn(text, self.process.tail())

    def test_starts_and_stops(self):
        self.assertIsNone(self.process.pid())
        self.process.start(["/bin/sleep", "1000"])
        pid = self.process.pid()
        self.assertEqual(pid, os.getsid(pid))
        self.process.stop(5)
        self.assertIsNone(self.process.pid())

    def test_stops_what_ignores_sigterm(self):
        self.process.start(
            ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]
        )
        self.wait_for_log("ready")
        pid = self.process.pid()
        self.process.stop(0.2)
        self.assertFalse(processes.exists({"pid": pid, "start": 0, "boot": ""}))
        self.assertIsNone(self.process.pid())

    def test_killed_process_counts_as_stopped(self):
        self.process.start(["/bin/sleep", "1000"])
        os.kill(self.process.pid(), signal.SIGKILL)
        deadline = time.monotonic() + 10
        while self.process.pid() is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertIsNone(self.process.pid())
        with self.assertRaisesRegex(ClusterError, "sleeper"):
            self.process.require()

    def test_somebody_elses_process_of_the_same_number_is_left_alone(self):
        with subprocess.Popen(["/bin/sleep", "1000"]) as other:
            self.layout.processes.mkdir()
            boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
            record = {"pid": other.pid, "start": 1, "boot": boot.strip()}
            file = self.layout.processes / "sleeper.json"
            file.write_text(json.dumps(record), encoding="ascii")
            self.assertIsNone(self.process.pid())
            self.process.stop(0)
            self.assertIsNone(other.poll())
            other.kill()

    def test_record_of_an_earlier_boot_counts_as_stopped(self):
        own = {"pid": os.getpid(), "start": launch.start_time(os.getpid()), "boot": "another"}
        self.assertFalse(processes.is_running(own))

    def test_damaged_record_counts_as_stopped(self):
        self.layout.processes.mkdir()
        (self.layout.processes / "sleeper.json").write_text("{", encoding="ascii")
        self.assertIsNone(self.process.pid())

    def test_environment_is_the_marker_and_little_else(self):
        os.environ["LOCALCLUSTER_SECRET"] = "x"
        self.addCleanup(os.environ.pop, "LOCALCLUSTER_SECRET")
        self.process.start(["/bin/sh", "-c", "env; sleep 1000"])
        self.wait_for_log(f"{processes.MARKER}={self.layout.folder}")
        self.assertNotIn("LOCALCLUSTER_SECRET", self.process.tail())

    def test_program_that_is_not_there(self):
        self.process.start(["/no/such/program"])
        self.wait_for_log("run /no/such/program: No such file or directory")

    def test_end_all_finds_what_is_not_recorded(self):
        self.process.start(["/bin/sleep", "1000"])
        pid = self.process.pid()
        for record in self.layout.processes.iterdir():
            record.unlink()
        processes.end_all(self.layout.folder)
        with self.assertRaises(OSError):
            state = (
                pathlib.Path(f"/proc/{pid}/stat")
                .read_text(encoding="ascii")
                .rpartition(")")[2]
                .split()[0]
            )
            if state == "Z":
                raise ProcessLookupError(pid)


if __name__ == "__main__":
    unittest.main()
