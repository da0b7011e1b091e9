"""A command that is killed at any point leaves nothing that the next run does not clean up; one that is told to end
takes everything along itself.

The cluster is an embedded one that is served over TLS, as one that somebody else runs.
"""

from __future__ import annotations

import json
import os
import queue
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from faults import DROP, LOSE_ANSWER, Fault, Proxy, proxied
from serving import serving
from small_course import build
from waiting import comes

from autograder.clusters.connection import Connection
from autograder.clusters.kubeconfig import QUICK, KubeconfigCluster
from autograder.clusters.leftovers import PREFIX
from autograder.controlplane.apimachinery.scheme import NAMESPACES
from autograder.exercises import load

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that can be forked")

EXERCISE: Final = "replicasets/three-replicas"
STUDENTS: Final = ("ada", "grace")
#: Requests of one run of each command, about; points to kill it at are drawn from these.
REQUESTS: Final = {"check": 60, "grade": 50}
#: What a command that was told to end ends with.
INTERRUPTED: Final = 130


class Commands:
    """Brings forth commands (see ``checker``), one at a time; their temporary files are in ``temporary``."""

    def __init__(self, process: subprocess.Popen[str], answer: Path, course: Path, temporary: Path) -> None:
        self._process = process
        self._answer, self._course, self.temporary = answer, course, temporary

    def begin(self, command: str, config: Path) -> int:
        """The number of the process, and of its group."""
        given = {
            "check": [EXERCISE, str(self._answer)],
            "grade": ["--course", str(self._course), "--workers", "2", "--fresh"],
        }
        arguments = [command, *given[command], "--cluster", f"kubeconfig:{config}"]
        assert self._process.stdin is not None
        asked = {"arguments": arguments, "temporary": str(self.temporary)}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return int(self._line())

    def end(self) -> int:
        """How it ended: its exit code, or the signal that killed it below zero."""
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with serving(tmp_path_factory.mktemp("served")) as path:
        ours(path)  # what this process needs for its connections is not among the temporary files of commands
        yield path


@pytest.fixture(scope="module")
def proxy(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with proxied(config, tmp_path_factory.mktemp("proxied")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    place = tmp_path_factory.mktemp("commands")
    answer, temporary, course = place / "answer.yaml", place / "tmp", build(place / "course")
    answer.write_text(load(EXERCISE).solution)
    temporary.mkdir()
    for student in STUDENTS:
        course.hand_in(student)
    command = [sys.executable, str(Path(__file__).with_name("checker.py"))]
    paths = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    ) as process:
        yield Commands(process, answer, course.root, temporary)


def is_gone(group: int) -> bool:
    """Whether no process of a group is there any more."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return True
    return False


def ours(config: Path) -> list[str]:
    """Our namespaces that are there, once those that are going have had time to go."""
    phases: dict[str, str] = {}

    def have_gone() -> bool:
        items = json.loads(Connection(config).send("GET", NAMESPACES))["items"]
        phases.clear()
        phases.update({item["metadata"]["name"]: item["status"]["phase"] for item in items})
        return not any(name.startswith(PREFIX) and phase == "Terminating" for name, phase in phases.items())

    comes(have_gone)
    return [name for name in phases if name.startswith(PREFIX)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("command", ["check", "grade"])
def test_the_next_run_cleans_up_what_a_killed_one_left(
    config: Path, proxy: Proxy, commands: Commands, monkeypatch: pytest.MonkeyPatch, command: str, seed: int
) -> None:
    dice = random.Random(f"{command} {seed}")
    last, arrives, all_at_once = proxy.requests + dice.randrange(1, REQUESTS[command]), *dice.choices((0, 1), k=2)
    victims: queue.SimpleQueue[int] = queue.SimpleQueue()

    def kill(number: int, method: str, path: str) -> Fault:
        if number == last:
            (os.killpg if all_at_once else os.kill)(victims.get(), signal.SIGKILL)
        lost = number == last or (number > last and all_at_once)
        return (LOSE_ANSWER if arrives else DROP) if lost else None

    proxy.fault = kill
    process = commands.begin(command, proxy.config)
    victims.put(process)
    assert commands.end() in (-signal.SIGKILL, 0)  # 0: it had ended before
    assert comes(lambda: is_gone(process)), "a worker outlives the run"
    proxy.fault = lambda number, method, path: None
    monkeypatch.setattr(tempfile, "tempdir", str(commands.temporary))
    KubeconfigCluster.open(config, pace=QUICK).close()
    assert ours(config) == []
    assert list(commands.temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "point", "how"),
    [("check", 12, signal.SIGTERM), ("check", 30, signal.SIGINT), ("grade", 8, signal.SIGINT),
     ("grade", 25, signal.SIGTERM)],
)  # fmt: skip
def test_a_run_that_is_told_to_end_takes_everything_along(
    config: Path, proxy: Proxy, commands: Commands, command: str, point: int, how: signal.Signals
) -> None:
    last = proxy.requests + point
    told: queue.SimpleQueue[int] = queue.SimpleQueue()

    def tell(number: int, method: str, path: str) -> None:
        if number == last:
            os.kill(told.get(), how)

    proxy.fault = tell
    process = commands.begin(command, proxy.config)
    told.put(process)
    assert commands.end() == INTERRUPTED
    assert is_gone(process)
    assert ours(config) == []
    assert list(commands.temporary.iterdir()) == []


@pytest.mark.parametrize("command", REQUESTS)
def test_most_of_these_points_lie_in_the_midst_of_a_run(proxy: Proxy, commands: Commands, command: str) -> None:
    before = proxy.requests
    proxy.fault = lambda number, method, path: None
    commands.begin(command, proxy.config)
    assert commands.end() == 0
    assert proxy.requests - before > 0.7 * REQUESTS[command]


def test_a_run_that_goes_on_is_left_alone_by_another(config: Path, proxy: Proxy, commands: Commands) -> None:
    begin, opened = proxy.requests, []

    def meanwhile(number: int, method: str, path: str) -> Fault:
        if number in (begin + 10, begin + 25):
            KubeconfigCluster.open(config, pace=QUICK).close()
            opened.append(number)
        return None

    proxy.fault = meanwhile
    commands.begin("check", proxy.config)
    assert commands.end() == 0
    assert len(opened) == 2
    assert ours(config) == []
