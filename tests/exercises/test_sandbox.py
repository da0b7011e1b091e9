"""Students' programs behind walls: what they return is data, and whatever else they try comes to nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import comes

from autograder.exercises import sandbox
from autograder.exercises.loading import exercises_root
from autograder.exercises.sandbox import CannotConfine
from autograder.exercises.sandbox_watch import Limits, ProgramError

#: For what ends by itself, and for what does not.
AMPLE = Limits(seconds=30, waiting=90)
QUICK = Limits(seconds=1, waiting=2)


@pytest.fixture(params=["bwrap", "unshare"])
def walls(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    if sys.platform != "linux" or (trouble := sandbox.trouble_with(kind)):
        pytest.skip(f"needs {kind}: {trouble}")
    return kind


pytestmark = pytest.mark.needs("bwrap or unshare")


def run(walls: str, body: str, *arguments: Any, limits: Limits = AMPLE) -> Any:
    """What a program returns whose function ``f`` has this body."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return sandbox.run(f"import os, sys, time\ndef f(*given):\n{lines}", "f", [arguments], limits, kind=walls)[0]


def failure(walls: str, body: str, *arguments: Any, limits: Limits = AMPLE) -> str:
    """How such a program fails."""
    with pytest.raises(ProgramError) as caught:
        run(walls, body, *arguments, limits=limits)
    return str(caught.value)


def children() -> set[int]:
    """The processes that this one has started, and theirs."""
    with subprocess.Popen(["ps", "-eo", "pid,ppid"], stdout=subprocess.PIPE, text=True) as ps:
        listed = ps.communicate()[0].split()[2:]
    parents = dict(zip(map(int, listed[::2]), map(int, listed[1::2]), strict=True))
    del parents[ps.pid]
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def orphans() -> set[int]:
    """The processes of sandboxes that nobody waits for any more."""
    with subprocess.Popen(["ps", "-eo", "pid,ppid,args"], stdout=subprocess.PIPE, text=True) as ps:
        rows = [row.split(maxsplit=2) for row in ps.communicate()[0].splitlines()]
    return {int(row[0]) for row in rows if len(row) == 3 and row[1] == "1" and "What runs behind the walls" in row[2]}


def test_results_are_data(walls: str) -> None:
    calls = [[{"name": "a", "cpu": 2}, [1, None, "ä"]], [{"name": "b"}, []]]
    source = "def f(node, rest):\n    return {'node': node['name'], 'count': len(rest)}\n"
    assert sandbox.run(source, "f", calls, kind=walls) == [{"node": "a", "count": 3}, {"node": "b", "count": 0}]


def test_the_library_is_there_and_what_is_printed_is_not_a_result(walls: str) -> None:
    assert run(walls, "import math, json, statistics\nprint('[1]')\nreturn math.factorial(5)") == 120


def test_a_call_does_not_see_what_another_did_to_its_arguments(walls: str) -> None:
    source = "def f(node):\n    node['cpu'] -= 1\n    return node['cpu']\n"
    node = {"cpu": 4}
    assert sandbox.run(source, "f", [[node], [node]], kind=walls) == [3, 3]
    assert node == {"cpu": 4}


@pytest.mark.parametrize(
    ("source", "says", "line"),
    [("def f(:\n  pass\n", "SyntaxError", 1), ("\ndef f():\n    return 1 / 0\n", "ZeroDivisionError", 3),
     ("x = 1\n", "there is no function 'f'", 0), ("def f():\n    return object()\n", "not JSON serializable", 0),
     ("def f():\n    return float('nan')\n", "ValueError", 0), ("def f(a):\n    return a\n", "TypeError", 0),
     ("def f():\n    return f()\n", "RecursionError", 2), ("import numpy\n", "No module named 'numpy'", 1),
     ("raise SystemExit(0)\n", "SystemExit", 1), ("import autograder\n", "No module named 'autograder'", 1)],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(walls: str, source: str, says: str, line: int) -> None:
    with pytest.raises(ProgramError, match=says) as caught:
        sandbox.run(source, "f", [[]], kind=walls)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/etc/shadow", "/proc/1/environ", "/proc/self/maps", "/root/.ssh", "/home", "/var", "/sys"]
)
def test_files_of_the_system_are_not_there(walls: str, path: str) -> None:
    said = failure(walls, "return os.listdir(given[0]) if given[0].count('/') == 1 else open(given[0]).read()", path)
    assert "No such file" in said or "Permission" in said


def test_files_of_the_course_are_not_there(walls: str) -> None:
    course = str(exercises_root().parent)
    assert "No such file" in failure(walls, "return os.listdir(given[0])", course)
    assert "No such file" in failure(walls, "return open(given[0]).read()", str(Path(__file__)))


@pytest.mark.parametrize("place", ["/", "/tmp", "/dev/shm", "/usr", "/room", "/root", "/dev", "."])
def test_nothing_can_be_written(walls: str, place: str, tmp_path: Path) -> None:
    failure(walls, "return open(given[0] + '/new', 'w').write('x')", place)
    failure(walls, "os.mkdir(given[0] + '/folder')", place)
    failure(walls, "open(given[0], 'w').write('x')", str(tmp_path / "x"))
    assert list(tmp_path.iterdir()) == []


def test_the_library_cannot_be_changed(walls: str) -> None:
    failure(walls, "import json\nopen(json.__file__, 'a')")
    failure(walls, "import json\nos.chmod(json.__file__, 0o777)")


@pytest.mark.parametrize(
    "reach",
    ["socket.create_connection(('127.0.0.1', given[0]), 1)",
     "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
     "socket.getaddrinfo('example.org', 80)",
     "socket.socket(socket.AF_INET6).connect(('::1', given[0]))",
     "socket.socket(socket.AF_UNIX).connect('/run/docker.sock')",
     "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"],
)  # fmt: skip
def test_there_is_no_network(walls: str, reach: str) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        failure(walls, f"import socket\n{reach}", server.getsockname()[1])
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_fork_bomb_does_not_go_off(walls: str) -> None:
    before = children()
    failure(walls, "while True:\n    os.fork()")
    assert "Error" in failure(walls, "import subprocess\nsubprocess.run([sys.executable])")
    assert "Error" in failure(walls, "import threading\nthreading.Thread(target=time.sleep, args=(9,)).start()")
    assert comes(lambda: children() <= before)


@pytest.mark.parametrize(
    "bomb",
    ["return len(bytearray(1 << 31))", "x = 'a'\nwhile True:\n    x += x", "x = []\nwhile True:\n    x.append(x[:])",
     "return [0] * (1 << 34)", "import mmap\nreturn len(mmap.mmap(-1, 1 << 31))",
     "files = [os.memfd_create('m') for _ in range(64)]"],
)  # fmt: skip
def test_a_memory_bomb_does_not_go_off(walls: str, bomb: str) -> None:
    failure(walls, bomb)


@pytest.mark.parametrize(
    "loop",
    ["while True:\n    pass", "time.sleep(1000)", "import re\nre.match('(a*)*b', 'a' * 40)", "return 10 ** 10 ** 9"],
)
def test_what_does_not_end_is_ended(walls: str, loop: str) -> None:
    before = children()
    said = failure(walls, loop, limits=QUICK)
    assert "too long" in said or "longer than" in said
    assert comes(lambda: children() <= before)


def test_who_runs_away_from_the_group_is_ended_too(walls: str) -> None:
    before = orphans()
    body = "import ctypes\nos.setsid() if os.getpid() != os.getsid(0) else None\n"
    failure(walls, body + "ctypes.CDLL(None).prctl(1, 0)\ntime.sleep(1000)", limits=QUICK)
    assert comes(lambda: orphans() <= before)


@pytest.mark.parametrize("deaf", [signal.SIGTERM, signal.SIGXCPU, signal.SIGINT, signal.SIGALRM])
def test_who_does_not_listen_to_signals_is_ended_too(walls: str, deaf: int) -> None:
    failure(
        walls, "import signal\nsignal.signal(given[0], signal.SIG_IGN)\nwhile True:\n    pass", int(deaf), limits=QUICK
    )


@pytest.mark.parametrize("stream", [1, 2])
def test_a_flood_is_stopped(walls: str, stream: int) -> None:
    assert "wrote more than 256 KiB" in failure(walls, f"while True:\n    os.write({stream}, b'x' * 65536)")


def test_a_result_that_is_too_large_is_none(walls: str) -> None:
    assert "wrote more than" in failure(walls, "return 'x' * (1 << 20)")


@pytest.mark.parametrize(
    "trick",
    ["os.write(3, b'[{\"value\": 100}]')\nos._exit(0)", "sys.stdout = open(3, 'w')\nprint('nonsense')\nos._exit(0)",
     "os.write(3, b'{}' * 5)\nos._exit(0)", "os.close(3)\nreturn 1", "os._exit(0)", "os.abort()",
     "os.write(3, b'[' * 100000)\nos._exit(0)", "os.kill(os.getpid(), 9)"],
)  # fmt: skip
def test_writing_results_oneself_gives_nothing_that_returning_them_does_not(walls: str, trick: str) -> None:
    try:
        value = run(walls, trick)
    except ProgramError:
        return
    assert value in (100, None)  # which it could have returned as well


def test_there_is_nothing_to_read_from(walls: str) -> None:
    assert run(walls, "return sys.stdin.read() + os.read(0, 10).decode()") == ""
    assert "EOFError" in failure(walls, "return input()")


def test_no_file_of_the_grader_is_open_in_there(walls: str) -> None:
    with Path(__file__).open() as held:
        os.set_inheritable(held.fileno(), True)
        body = """
found = []
for number in range(4, 32):
    try:
        os.fstat(number)
    except OSError:
        continue
    found.append(number)
return found
"""
        assert run(walls, body) == []


def test_signals_reach_nobody(walls: str) -> None:
    failures = run(
        walls,
        """
said = []
for target in (1, os.getppid(), -1, given[0]):
    try:
        if target != os.getpid():
            os.kill(target, 9)
        said.append("sent")
    except OSError as error:
        said.append(type(error).__name__)
return said
""",
        os.getpid(),
    )
    assert failures[-1] in ("ProcessLookupError", "PermissionError")


@pytest.mark.parametrize(
    "climb",
    ["os.setuid(0)", "os.chroot('/')", "os.mount", "os.sethostname('x')",
     "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
     "import ctypes\nlibc = ctypes.CDLL(None)\nassert libc.unshare(0x10000000) == 0, 'EPERM'",
     "import ctypes\nlibc = ctypes.CDLL(None)\nassert libc.mount(b'x', b'/usr', b'tmpfs', 0, None) == 0, 'EPERM'",
     "import ctypes\nlibc = ctypes.CDLL(None)\nassert libc.ptrace(16, 1, 0, 0) == 0, 'EPERM'"],
)  # fmt: skip
def test_no_rights_can_be_had(walls: str, climb: str) -> None:
    if climb == "os.setuid(0)" and run(walls, "return os.getuid()") == 0:
        climb = "os.setuid(1)"
    failure(walls, climb)


def test_the_environment_tells_nothing(walls: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_COURSE_SECRET", "a secret of the course")
    assert "secret" not in run(walls, "return str(dict(os.environ)) + str(sys.argv) + os.uname().nodename")


def test_names_of_hosts_and_users_are_hidden(walls: str) -> None:
    if walls == "bwrap":
        assert run(walls, "return os.uname().nodename") == "sandbox"
    assert "Error" in failure(walls, "import pwd\nreturn pwd.getpwuid(0).pw_name")


@pytest.fixture
def untried() -> Iterator[None]:
    """Nothing is known yet of any walls, nor will be of those that a test has made up."""
    for known in (sandbox.walls, sandbox.trouble_with):
        known.cache_clear()
    yield
    for known in (sandbox.walls, sandbox.trouble_with):
        known.cache_clear()


@pytest.mark.usefixtures("untried")
def test_without_walls_nothing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotConfine, match=r"bwrap is not installed.*install bubblewrap"):
        sandbox.run("open('here', 'w')", "f", [])
    assert "cannot be locked in" in sandbox.why_not() or sys.platform != "linux"


@pytest.mark.usefixtures("untried")
def test_where_namespaces_cannot_be_made_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container with the default settings of Docker: the programs are there, the kernel says no."""
    monkeypatch.setattr(sandbox, "COMMANDS", {"bwrap": lambda: ["sh", "-c", "echo bwrap: not permitted >&2; exit 1"]})
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(CannotConfine, match=r"bwrap: not permitted.*allow namespaces to be made"):
        sandbox.run("open('here', 'w')", "f", [])


@pytest.mark.usefixtures("untried")
def test_walls_with_a_hole_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_run", lambda *given: [{"value": ["the network can be reached"]}])
    assert "the network can be reached" in sandbox.why_not() or sys.platform != "linux"
