"""Folders that go with their run, however it ends; and that nothing else ever goes with them."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.clusters import scratch
from autograder.clusters.scratch import Scratch

MAKE = """
import pathlib, sys, time
from autograder.clusters.scratch import Scratch
made = Scratch(place=pathlib.Path(sys.argv[1]))
(made.path / "file").touch()
print(made.path, flush=True)
time.sleep(60)
"""


def other_run(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that has made a folder, and the folder."""
    run = subprocess.Popen([sys.executable, "-c", MAKE, str(place)], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    folder = Path(run.stdout.readline().strip())
    run.stdout.close()
    return run, folder


def test_a_folder_is_its_owners_alone_and_goes_when_it_is_told(tmp_path: Path) -> None:
    made = Scratch(place=tmp_path)
    assert made.path.stat().st_mode & 0o077 == 0
    assert scratch.clean(place=tmp_path) == []
    made.remove()
    made.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_goes_with_its_last_user(tmp_path: Path) -> None:
    made = Scratch(place=tmp_path)
    del made
    gc.collect()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs processes that can be killed")
def test_what_a_killed_run_left_is_removed_by_the_next_and_what_a_living_one_uses_is_not(tmp_path: Path) -> None:
    run, folder = other_run(tmp_path)
    os.utime(folder, (0, 0))  # how old it is says nothing
    assert scratch.clean(place=tmp_path) == []
    assert (folder / "file").exists()
    run.kill()
    run.wait()
    ended: list[Path] = []
    assert scratch.clean(place=tmp_path, end=ended.append) == [folder] == ended
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that can be forked")
def test_a_process_that_was_forked_does_not_remove_what_its_parent_uses(tmp_path: Path) -> None:
    made = Scratch(place=tmp_path)
    child = os.fork()
    if not child:
        made.remove()
        os._exit(0)
    os.waitpid(child, 0)
    assert made.path.is_dir()
    assert scratch.clean(place=tmp_path) == []
    made.remove()


def test_a_run_that_ended_before_its_folder_was_made_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "autograder-run-1.lock").touch()
    assert scratch.clean(place=tmp_path) == [tmp_path / "autograder-run-1"]
    assert list(tmp_path.iterdir()) == []


def test_folders_without_a_lock_and_of_other_kinds_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "autograder-run-1").mkdir()
    (tmp_path / "autograder-local-1").mkdir()
    (tmp_path / "autograder-local-1.lock").touch()
    assert scratch.clean(place=tmp_path) == []
    assert scratch.unknown(place=tmp_path) == [tmp_path / "autograder-run-1"]
    assert len(list(tmp_path.iterdir())) == 3
