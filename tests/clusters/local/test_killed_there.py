"""Commands on a real control plane that are killed or told to end at any moment: no process and no file is left."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from small_course import build
from waiting import comes

from autograder.clusters import scratch
from autograder.clusters.local import folders, keeper
from autograder.exercises import load

pytestmark = [pytest.mark.needs("kube-apiserver"), pytest.mark.timeout(600)]

#: Seconds in which a run opens its cluster, judges and ends, about; moments to end it at are drawn from these.
SECONDS: Final = {"check": 30, "grade": 60}


@pytest.fixture
def place() -> Iterator[Path]:
    """A place for temporary files whose name is short enough for a socket."""
    path = Path(tempfile.mkdtemp(prefix="ag-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


def begun(command: str, place: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    """A run in a group of its own."""
    if command == "check":
        answer = tmp_path / "answer.txt"
        answer.write_text(load("pods/generate").solution)
        given = ["pods/generate", str(answer)]
    else:
        course = build(tmp_path / "course")
        for student in ("ada", "grace"):
            course.hand_in(student)
        given = ["--course", str(course.root), "--workers", "2"]
    return subprocess.Popen(
        [sys.executable, "-m", "autograder", command, *given, "--cluster", "local"], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(place)},
    )  # fmt: skip


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize(("command", "seed"), [("check", 1), ("check", 2), ("check", 3), ("grade", 1), ("grade", 2)])
def test_nothing_is_left(place: Path, tmp_path: Path, command: str, seed: int, how: signal.Signals) -> None:
    dice = random.Random(f"{command} {seed} {how.name}")
    run = begun(command, place, tmp_path)
    time.sleep(dice.uniform(1, SECONDS[command]))
    if dice.random() < 0.5:
        os.killpg(run.pid, how)
    else:
        run.send_signal(how)
    run.wait()
    assert comes(lambda: not keeper.processes_of(place))
    if how is signal.SIGKILL:
        folders.clean(place)
        scratch.clean(place=place)
    assert comes(lambda: list(place.iterdir()) == []), list(place.iterdir())
