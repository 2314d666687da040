"""Long-lived programs of a cluster: start, recognise, stop.

A program is known by its record file (process id, start time, boot), never by its name: a record
whose process is gone, or whose number belongs to another process by now, counts as stopped.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from localcluster import launch
from localcluster.errors import ClusterError

MARKER = "CALICO_OPERATOR_CLUSTER"
_PF_EXITING = 4
_LAUNCHER = pathlib.Path(launch.__file__)


def _boot_id():
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def exists(record):
    """Whether the process of a record (a dict) is there, be it about to end; zombies are not."""
    return _flags(record) is not None


def is_running(record):
    """Whether the process of a record is there and not about to end.

    Process 1 of a node takes a moment to end: as long as the rest of the node.
    """
    flags = _flags(record)
    return flags is not None and not flags & _PF_EXITING


def _flags(record):
    """The kernel's flags of the process, or None when there is no such process."""
    try:
        if record["boot"] != _boot_id() or launch.start_time(record["pid"]) != record["start"]:
            return None
        fields = (
            pathlib.Path(f"/proc/{record['pid']}/stat").read_bytes().rpartition(b")")[2].split()
        )
        return None if fields[0] in (b"Z", b"X") else int(fields[6])
    except (OSError, KeyError, TypeError, IndexError, ValueError):
        return None


class Process:
    """One program of a cluster, running or not."""

    def __init__(self, layout, name):
        self.name = name
        self._cluster = layout.folder
        self._record = layout.processes / f"{name}.json"
        self.log = layout.logs / f"{name}.log"

    def pid(self):
        """The process id, or None when it does not run."""
        record = self._read()
        return record["pid"] if is_running(record) else None

    def _read(self):
        try:
            return json.loads(self._record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def start(self, program, join=None, unshare=False):
        """Starts the program (a list of words); join is the process whose namespaces it enters."""
        mode = ["--unshare"] if unshare else ["--join", str(join)] if join else ["--here"]
        self._record.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-I",
            "-S",
            str(_LAUNCHER),
            str(self._record),
            str(self.log),
            *mode,
            "--",
            *program,
        ]
        result = subprocess.run(
            [str(word) for word in command],
            env={MARKER: str(self._cluster)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise ClusterError(f"start {self.name}: {result.stderr.strip().splitlines()[-1:]}")

    def stop(self, grace_seconds):
        """Asks it to end, and ends it when it has not after the grace; returns when it is gone."""
        end_process(self._read(), grace_seconds)
        self._record.unlink(missing_ok=True)

    def tail(self, lines=15):
        """The last lines of its log."""
        try:
            with open(self.log, "rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - 16384))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(f"    {line[:400]}" for line in text.splitlines()[-lines:])

    def require(self):
        """Raises ClusterError with the end of its log unless it runs."""
        if self.pid() is None:
            raise ClusterError(
                f"run {self.name}: it ended; last lines of {self.log}:\n{self.tail()}",
                "read the log, mend the cause, and run `tools/cluster up` again",
            )


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def end_process(record, grace_seconds):
    """Sends SIGTERM, after the grace SIGKILL; returns when the process of the record is gone."""
    if grace_seconds > 0 and exists(record):
        _signal(record["pid"], signal.SIGTERM)
        if _wait_until_gone(record, grace_seconds):
            return
    if exists(record):
        _signal(record["pid"], signal.SIGKILL)
        if not _wait_until_gone(record, 20):
            raise ClusterError(
                f"end process {record['pid']}: it still runs 20 s after SIGKILL",
                "look at it with ps",
            )


def _wait_until_gone(record, seconds):
    deadline = time.monotonic() + seconds
    while exists(record):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end_all(folder):
    """Ends every process of the cluster with this state folder at once.

    Those are the ones on record, and the ones that carry its marker in their environment. Process 1
    of a node takes everything in the node with it.
    """
    records = _records(folder / "processes") + _marked(f"{MARKER}={folder}".encode())
    for record in records:
        if exists(record):
            _signal(record["pid"], signal.SIGKILL)
    for record in records:
        end_process(record, 0)


def _records(folder):
    records = []
    for file in folder.glob("*.json"):
        try:
            records.append(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue  # damaged: the marker finds its process
    return records


def _marked(marker):
    records = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker in (entry / "environ").read_bytes().split(b"\0"):
                records.append(
                    {
                        "pid": int(entry.name),
                        "start": launch.start_time(entry.name),
                        "boot": _boot_id(),
                    }
                )
        except OSError:
            continue  # it ended meanwhile
    return records
