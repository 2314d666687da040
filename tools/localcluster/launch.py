"""Starts one long-lived program.

It is run as a script of its own, so that it can fork and change namespaces safely:

    launch.py RECORD LOG (--here | --join PID | --unshare) -- PROGRAM ARGUMENT...

RECORD is written before the program runs, with the process id and start time that identify it, so
nothing ever runs unrecorded. --join enters the namespaces of PID, --unshare makes new ones (the
program becomes process 1 in them). The program gets a session of its own, no input, LOG as output,
and an environment without the caller's variables.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import struct
import sys

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x20000000,
    0x40000000,
)
NAMESPACES = {
    "mnt": CLONE_NEWNS,
    "net": CLONE_NEWNET,
    "uts": CLONE_NEWUTS,
    "ipc": CLONE_NEWIPC,
    "pid": CLONE_NEWPID,
}


def start_time(pid):
    """Clock ticks from boot to the start of pid; both together name a process for ever.

    OSError when there is no such process.
    """
    with open(f"/proc/{pid}/stat", "rb") as stat:
        return int(stat.read().rpartition(b")")[2].split()[19])


def _call(function, *arguments):
    if function(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _enter(mode, pid):
    libc = ctypes.CDLL(None, use_errno=True)
    if mode == "--unshare":
        flags = 0
        for flag in NAMESPACES.values():
            flags |= flag
        _call(libc.unshare, flags)
    elif mode == "--join":
        handles = [
            (os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY), flag)
            for name, flag in NAMESPACES.items()
        ]
        for handle, flag in handles:
            _call(libc.setns, handle, flag)
            os.close(handle)


def _become(program, log, line):
    """The last child: says hello, waits until it is recorded, then turns into the program."""
    line.send(b"h")
    if line.recv(1) != b"g":
        os._exit(1)
    os.setsid()
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
    }
    marker = os.environ.get("CALICO_OPERATOR_CLUSTER")
    if marker:
        environment["CALICO_OPERATOR_CLUSTER"] = marker
    try:
        os.execve(program[0], program, environment)
    except OSError as error:
        os.write(2, f"run {program[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _write_record(path, record):
    temporary = f"{path}.new"
    with open(temporary, "w", encoding="utf-8") as out:
        json.dump(record, out)
    os.rename(temporary, path)


def _fork_inside(mode, joined, program, log, line):
    """The go-between: enters the namespaces and forks there.

    A new process namespace holds for the children of whoever enters it, not for itself.
    """
    _enter(mode, joined)
    child = os.fork()
    if child == 0:
        os.chdir("/")
        if mode == "--join" and os.fork() != 0:
            os._exit(0)  # the program becomes a child of the node's process 1, which collects it
        _become(program, log, line)
    if mode == "--join":
        os.waitpid(child, 0)
    os._exit(0)


def _hear_from(line):
    """The process id of whoever says hello, as this process sees it: the kernel translates it.

    None when everybody who could say it has ended.
    """
    room = socket.CMSG_SPACE(struct.calcsize("3i"))
    hello, credentials, _, _ = line.recvmsg(1, room)
    return struct.unpack("3i", credentials[0][2])[0] if hello else None


def main(arguments):
    record, log_path, mode = arguments[:3]
    program = arguments[arguments.index("--") + 1 :]
    joined = arguments[3] if mode == "--join" else None
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot_id:
        boot = boot_id.read().strip()
    here, there = socket.socketpair()
    here.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    between = os.fork()
    if between == 0:
        here.close()
        _fork_inside(mode, joined, program, log, there)
    there.close()
    pid = _hear_from(here)
    os.waitpid(between, 0)
    if pid is None:
        return 1
    _write_record(
        record, {"pid": pid, "start": start_time(pid), "boot": boot, "program": program[0]}
    )
    here.send(b"g")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
