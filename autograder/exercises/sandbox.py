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
import selectors
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

from autograder.exercises.loading import exercises_root

#: Characters of a program that are taken.
LENGTH: Final = 64 * 1024
#: What is given to a program at once, as JSON.
GIVEN: Final = 1 << 20
NO_RESULTS: Final = "it wrote something else than results"

_INSIDE: Final = Path(__file__).with_name("sandbox_inside.py")
_ROOM: Final = "/room"
#: Where a grader that is root lets students' code be nobody: a number for each process that grades.
_NOBODIES: Final = (61_000, 4_000)
#: Processes of the same user that keep it, where the grader is not root.
_KEEPERS: Final = {"bwrap": 1, "unshare": 2}
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


class ProgramError(Exception):
    """A program came to no result; the message is for its author, and ``line`` of their text (0: none) is where."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use: seconds (of work, and some more of waiting), bytes of memory and output, processes."""

    seconds: int = 5
    waiting: int = 5
    memory: int = 256 << 20
    output: int = 256 << 10
    processes: int = 1


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
    for kind in _COMMANDS:
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
    for result in results if isinstance(results, list) else [None]:
        error = (
            result.get("error") if isinstance(result, dict) else ["Error", "it wrote something else than results", 0]
        )
        if error is not None:
            kind, message, line = error if isinstance(error, list) and len(error) == 3 else ("Error", str(error), 0)
            raise ProgramError(f"{kind}: {message}"[:600], line if type(line) is int and line >= 0 else 0)
        values.append(result.get("value"))
    return values


def _run(kind: str, source: str, function: str, calls: Sequence[Sequence[Any]], limits: Limits) -> Any:
    nobody = _NOBODIES[0] + os.getpid() % _NOBODIES[1] if os.geteuid() == 0 else 0
    given = {
        "source": source, "function": function, "calls": [list(call) for call in calls],
        "binds": [list(bind) for bind in _binds()] if kind == "unshare" else [], "base": _base(),
        "limits": {
            "seconds": limits.seconds, "memory": limits.memory, "uid": nobody,
            "processes": limits.processes + (0 if nobody else _KEEPERS[kind]),
            "altogether": limits.seconds + limits.waiting,
        },
    }  # fmt: skip
    text = json.dumps(given).encode()
    if len(text) > GIVEN + LENGTH:
        raise ProgramError("there is too much to work on")
    command = [*_COMMANDS[kind](), _python(), "-I", "-S", "-B", "-c", _INSIDE.read_text(encoding="utf-8")]
    out, err, code = _watched(command, text, limits)
    if not out.strip():
        raise ProgramError(_ended(code, err))
    try:
        results = json.loads(out)
    except (ValueError, RecursionError):
        raise ProgramError(NO_RESULTS) from None
    if not isinstance(results, list) or len(results) != max(1, len(calls)):
        raise ProgramError(NO_RESULTS)
    return results


def _watched(command: list[str], given: bytes, limits: Limits) -> tuple[bytes, bytes, int]:
    """Run a command to its end, or until it has had its time or has written too much."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_TIDY, cwd="/",
        start_new_session=True,
    )  # fmt: skip
    assert process.stdin and process.stdout and process.stderr
    end = time.monotonic() + limits.seconds + limits.waiting
    parts: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    rest = memoryview(given)
    try:
        with selectors.DefaultSelector() as ready:
            os.set_blocking(process.stdin.fileno(), False)
            ready.register(process.stdin, selectors.EVENT_WRITE)
            for stream in parts:
                ready.register(stream, selectors.EVENT_READ)
            while ready.get_map():
                left = end - time.monotonic()
                if left <= 0:
                    raise ProgramError(f"it took longer than {limits.seconds + limits.waiting} seconds")
                for key, _ in ready.select(left):
                    if key.fileobj is process.stdin:
                        rest = _fed(process.stdin, rest)
                        if not rest:
                            ready.unregister(process.stdin)
                            process.stdin.close()
                        continue
                    chunk = os.read(key.fd, 1 << 16)
                    if not chunk:
                        ready.unregister(key.fileobj)
                    parts[key.fileobj] += chunk  # type: ignore[index]  # the streams that were registered
                    if len(parts[key.fileobj]) > limits.output:  # type: ignore[index]
                        raise ProgramError(f"it wrote more than {limits.output // 1024} KiB")
        return (
            bytes(parts[process.stdout]),
            bytes(parts[process.stderr]),
            process.wait(max(0.1, end - time.monotonic())),
        )
    except subprocess.TimeoutExpired:
        raise ProgramError(f"it took longer than {limits.seconds + limits.waiting} seconds") from None
    finally:
        _end(process)


def _fed(stream: IO[bytes], rest: memoryview) -> memoryview:
    try:
        return rest[os.write(stream.fileno(), rest[: 1 << 16]) :]
    except BrokenPipeError:
        return rest[:0]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it with all that it started: they are in one session, and end with the first of their namespace."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.poll()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream and not stream.closed:
            try:
                stream.close()
            except BrokenPipeError:
                continue


def _ended(code: int, err: bytes) -> str:
    """What is to be said of a program that ended without results."""
    number = code - 128 if code > 128 else -code
    said = err.decode("utf-8", "replace").strip().rpartition("\n")[2][:300]
    if number in (signal.SIGXCPU, signal.SIGKILL):
        return "it was ended: it worked for too long, or needed too much memory"
    return f"it ended without a result (exit code {code})" + (f": {said}" if said else "")


def _python() -> str:
    """The interpreter itself; that of a virtual environment is a link to it."""
    return os.path.realpath(sys.executable)


def _binds() -> Iterator[tuple[str, str, str]]:
    """What can be seen in there, twice: (``bind``, ``link`` or ``empty``, source, target)."""
    course = exercises_root().resolve().parent
    for inside in ("", _ROOM):
        seen: list[str] = []
        for name in ("/usr", "/lib", "/lib32", "/lib64", *_of_python()):
            path = Path(name)
            if any(path.is_relative_to(other) for other in seen) or not path.exists():
                continue
            if path.is_symlink():
                yield "link", str(path.readlink()), f"{inside}{name}"
                continue
            seen.append(name)
            yield "bind", name, f"{inside}{name}"
            if course.is_relative_to(path):
                yield "empty", "", f"{inside}{course}"
        yield "bind", "/dev/null", f"{inside}/dev/null"
        yield "bind", "/dev/urandom", f"{inside}/dev/urandom"


def _base() -> str:
    """A folder that can be covered with a room of its own, since nothing that is needed lies in it."""
    needed = [Path(source) for _, source, _ in _binds()]
    places = (Path(place) for place in ("/mnt", "/media", "/srv", "/tmp", "/run", "/var"))
    free = [place for place in places if place.is_dir() and not any(path.is_relative_to(place) for path in needed)]
    return str(free[0]) if free else "/tmp"


def _of_python() -> list[str]:
    """Where the interpreter, its library and its shared library lie."""
    base = {"platbase": sys.base_exec_prefix, "base": sys.base_prefix}
    library = [sysconfig.get_path(name, vars=base) for name in ("stdlib", "platstdlib")]
    folders = [str(Path(_python()).parent), *library]
    shared = sysconfig.get_config_var("LIBDIR")
    return [*folders, shared] if isinstance(shared, str) else folders


def _bwrap() -> list[str]:
    arguments = ["bwrap", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox"]
    arguments += ["--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    rights = ["CAP_SYS_CHROOT", "CAP_SETPCAP"]
    if os.geteuid() == 0:
        rights += ["CAP_SETUID", "CAP_SETGID"]
    else:
        arguments.append("--unshare-user")
    for right in rights:
        arguments += ["--cap-add", right]
    for kind, source, target in _binds():
        arguments += ["--dir", str(Path(target).parent)]  # otherwise it makes folders for its owner alone
        match kind:
            case "link":
                arguments += ["--symlink", source, target]
            case "empty":
                arguments += ["--tmpfs", target, "--remount-ro", target]
            case _:
                arguments += ["--dev-bind" if source.startswith("/dev/") else "--ro-bind", source, target]
    return [*arguments, "--remount-ro", "/", "--chdir", "/", "--"]


def _unshare() -> list[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child=KILL", "--"]


_COMMANDS: Final = {"bwrap": _bwrap, "unshare": _unshare}
