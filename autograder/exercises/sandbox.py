"""Running a student's Python where it can do no harm; its results are read as data.

The code runs in a process of its own that sees Python's library and nothing else: no network, no files of the course or
of the system, nowhere to write, no other process, no rights; with limits on memory, processes, time and output.
bubblewrap builds the walls where it is installed, and otherwise the kernel's namespaces by ``unshare``.  Before the
first use the walls are tried by code that wants out.  Where they do not hold nothing is run, and ``CannotConfine`` says
why.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from autograder.exercises.loading import exercises_root
from autograder.exercises.sandbox_walls import COMMANDS, KEEPERS, base, binds, python
from autograder.exercises.sandbox_watch import Limits, ProgramError, watched

#: Characters of a program that are taken.
LENGTH: Final = 64 * 1024
#: What is given to a program at once, as JSON.
GIVEN: Final = 1 << 20
NO_RESULTS: Final = "it wrote something else than results"

_INSIDE: Final = Path(__file__).with_name("sandbox_inside.py")
#: Where a grader that is root lets students' code be nobody: a number for each process that grades.
_NOBODIES: Final = (61_000, 4_000)
_TIDY: Final = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}

#: Code that wants out; each line that succeeds is a hole.
_ESCAPE: Final = """
import os, socket, signal

def holes(course):
    def reach():
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9))
    def start():
        if os.fork() == 0:
            os._exit(0)
    tries = {
        "a file of the system can be read": lambda: open("/etc/passwd").read(),
        "the course can be read": lambda: os.listdir(course),
        "the folder of processes can be read": lambda: os.listdir("/proc"),
        "a file can be written": lambda: open("/written", "w"),
        "a file can be written in /tmp": lambda: open("/tmp/written", "w"),
        "the network can be reached": reach,
        "processes can be started": start,
        "memory has no limit": lambda: len(bytearray(1 << 31)),
        "rights can be had": lambda: os.setuid(0 if os.getuid() else 1),
    }
    found = []
    for name, attempt in tries.items():
        try:
            attempt()
        except (OSError, MemoryError):
            continue
        found.append(name)
    return found
"""


class CannotConfine(Exception):
    """Students' code cannot be locked in here, and is therefore not run; the message says what to install or allow."""


def run(
    source: str, function: str, calls: Sequence[Sequence[Any]], limits: Limits | None = None, *, kind: str = ""
) -> list[Any]:
    """What a function of a program returns for each list of arguments, all data as JSON has it.

    ``kind`` of walls: the first that hold.  Raises ``ProgramError`` for the first call that fails, and
    ``CannotConfine``.
    """
    return _values(_run(kind or walls(), source, function, calls, limits or Limits()))


@cache
def walls() -> str:
    """Which walls hold here; raises ``CannotConfine`` if none do."""
    if sys.platform != "linux":
        raise CannotConfine("students' programs are only run on Linux, where they can be locked in")
    reasons = []
    for kind in COMMANDS:
        reasons.append(trouble_with(kind))
        if not reasons[-1]:
            return kind
    advice = "allow namespaces to be made" if shutil.which("bwrap") else "install bubblewrap"
    raise CannotConfine(f"students' programs cannot be locked in: {'; '.join(reasons)}; {advice} (docs/fairness.md)")


@cache
def trouble_with(kind: str) -> str:
    """What is wrong with one kind of walls, ``bwrap`` or ``unshare``, found out by trying; '' if they hold."""
    if shutil.which(kind) is None:
        return f"{kind} is not installed"
    try:
        course = str(exercises_root().resolve().parent)
        found = _values(_run(kind, _ESCAPE, "holes", [[course]], Limits()))[0]
    except (ProgramError, OSError) as error:
        return f"{kind} does not work here ({error})"
    return f"with {kind} {' and '.join(found)}" if found else ""


def why_not() -> str:
    """Why programs cannot be run here; '' if they can."""
    try:
        walls()
    except CannotConfine as error:
        return str(error)
    return ""


def _values(results: list[Any]) -> list[Any]:
    """The values of results that came out of the sandbox, which may say anything."""
    values = []
    for result in results:
        error = result.get("error") if isinstance(result, dict) else ["Error", NO_RESULTS, 0]
        if error is not None:
            kind, message, line = error if isinstance(error, list) and len(error) == 3 else ("Error", str(error), 0)
            raise ProgramError(f"{kind}: {message}"[:600], line if type(line) is int and line >= 0 else 0)
        values.append(result.get("value"))
    return values


def _run(kind: str, source: str, function: str, calls: Sequence[Sequence[Any]], limits: Limits) -> list[Any]:
    nobody = _NOBODIES[0] + os.getpid() % _NOBODIES[1] if os.geteuid() == 0 else 0
    given = {
        "source": source, "function": function, "calls": [list(call) for call in calls],
        "binds": [list(bind) for bind in binds()] if kind == "unshare" else [], "base": base(),
        "limits": {
            "seconds": limits.seconds, "memory": limits.memory, "uid": nobody,
            "processes": limits.processes + (0 if nobody else KEEPERS[kind]),
            "altogether": limits.altogether,
        },
    }  # fmt: skip
    text = json.dumps(given).encode()
    if len(text) > GIVEN + LENGTH:
        raise ProgramError("there is too much to work on")
    command = [*COMMANDS[kind](), python(), "-I", "-S", "-B", "-c", _INSIDE.read_text(encoding="utf-8")]
    ended = watched(command, text, limits, _TIDY)
    if not ended.out.strip():
        raise ProgramError(_ended(ended.code, ended.err))
    try:
        results = json.loads(ended.out)
    except (ValueError, RecursionError):
        raise ProgramError(NO_RESULTS) from None
    if not isinstance(results, list) or len(results) != max(1, len(calls)):
        raise ProgramError(NO_RESULTS)
    return results


def _ended(code: int, err: bytes) -> str:
    """What is to be said of a program that ended without results."""
    number = code - 128 if code > 128 else -code
    said = err.decode("utf-8", "replace").strip().rpartition("\n")[2][:300]
    if number in (signal.SIGXCPU, signal.SIGKILL):
        return "it was ended: it worked for too long, or needed too much memory"
    return f"it ended without a result (exit code {code})" + (f": {said}" if said else "")
