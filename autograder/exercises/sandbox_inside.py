"""What runs behind the walls of the sandbox, before the student's code and around it.

It is handed to a bare Python as text, imports nothing of ours, and trusts nothing that comes after it.  In order: the
walls, where nothing else has built them; then a locked room with no rights and few resources; then the calls.

Standard input is one JSON document (``source``, ``function``, ``calls``, ``limits``, ``binds``, ``base``); standard
output gets one: a list with, for each call, ``{"value": ...}`` or ``{"error": [type, message, line]}``.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time

FILE = "answer"
ROOM = "/room"
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 4, 24, 28, 38, 47
CLEAR_ALL = 4
#: No rights for being root, now and for ever: SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP and their locks.
SECURE_BITS = 0b001111
CAPABILITY_VERSION = 0x20080522
LAST_CAPABILITY = 63


def main() -> None:
    given = json.loads(sys.stdin.buffer.read())
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    if given["binds"]:
        build_walls(given["base"], given["binds"])
        keep_watch(given["limits"]["altogether"])
    lock_in(given["limits"])
    json.dump(called(given["source"], given["function"], given["calls"]), results)
    results.flush()
    os._exit(0)  # nothing that the student left to be done at the end is done


def build_walls(base: str, binds: list[list[str]]) -> None:
    """See nothing but Python, and write nowhere; in namespaces of this process alone."""
    libc = ctypes.CDLL(None, use_errno=True)

    def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
        if libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()):
            raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")

    mount("none", "/", "", MS_REC | MS_PRIVATE)
    mount("tmpfs", base, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,nr_inodes=256,mode=755")
    for kind, source, target in binds:
        place = base + target
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if kind == "link":
            os.symlink(source, place)
        elif kind == "empty":
            mount("tmpfs", place, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "size=4k")
        else:
            if os.path.isdir(source):
                os.makedirs(place, exist_ok=True)
            else:
                os.close(os.open(place, os.O_CREAT | os.O_WRONLY))
            mount(source, place, "", MS_BIND)
            mount("none", place, "", MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID)
    mount("none", base, "", MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.chroot(base)
    os.chdir("/")


def keep_watch(seconds: float) -> None:
    """Go on in a child.  This process, the first of its namespace, which nobody in there can kill, ends it in time."""
    end = time.monotonic() + seconds
    child = os.fork()
    if child == 0:
        return
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
        time.sleep(0.005)
    os._exit(128 + signal.SIGKILL)


def lock_in(limits: dict[str, int]) -> None:
    """Give up every right and most resources, for good."""
    os.chroot(ROOM)  # who is in a changed root can make no user namespaces, and with them no rights
    os.chdir("/")
    libc = ctypes.CDLL(None, use_errno=True)
    for right in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, right, 0, 0, 0)
    if limits["uid"]:
        os.setgroups([])
        os.setresgid(limits["uid"], limits["uid"], limits["uid"])
        os.setresuid(limits["uid"], limits["uid"], limits["uid"])
    libc.prctl(PR_SET_SECUREBITS, SECURE_BITS, 0, 0, 0)
    libc.prctl(PR_CAP_AMBIENT, CLEAR_ALL, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    header, none = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    if libc.capset(header, none):
        raise OSError(ctypes.get_errno(), "capset")
    for name, most in (
        ("RLIMIT_AS", limits["memory"]), ("RLIMIT_CPU", limits["seconds"]), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0),
        ("RLIMIT_NOFILE", 32), ("RLIMIT_NPROC", limits["processes"]), ("RLIMIT_MSGQUEUE", 0), ("RLIMIT_MEMLOCK", 0),
    ):  # fmt: skip
        resource.setrlimit(getattr(resource, name), (most, most))
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def called(source: str, function: str, calls: list[list[object]]) -> list[object]:
    """The student's code, and what its function returns for each list of arguments."""
    room: dict[str, object] = {"__name__": FILE}
    try:
        exec(compile(source, FILE, "exec", dont_inherit=True), room)
        does = room.get(function)
        if not callable(does):
            raise NameError(f"there is no function {function!r}")
    except BaseException as error:
        return [{"error": told(error)}] * max(1, len(calls))
    results: list[object] = []
    for arguments in calls:
        try:
            value = does(*json.loads(json.dumps(arguments)))
            json.dumps(value, allow_nan=False)
            results.append({"value": value})
        except BaseException as error:
            results.append({"error": told(error)})
    return results


def told(error: BaseException) -> list[object]:
    """The type of an error, what it says, and the line of the answer that it came from (0: none)."""
    line = error.lineno or 0 if isinstance(error, SyntaxError) else 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    try:
        message = str(error)[:500]
    except BaseException:
        message = ""
    return [type(error).__name__, message, line]


if __name__ == "__main__":
    main()
