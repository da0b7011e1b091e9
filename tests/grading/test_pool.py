"""Work in worker processes: one that dies or hangs costs its item, and nothing else."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import pytest
from waiting import AMPLE, comes

from autograder.grading.footprint import MEGABYTE, peak, resident
from autograder.grading.pool import Lost, each

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="what workers die of here"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell of memory")


def work(item: str) -> str:
    match item:
        case "dies":
            os._exit(3)
        case "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hangs":
            time.sleep(600)
        case "leaves a folder":
            return tempfile.mkdtemp()
        case "leaves one and dies":
            tempfile.mkdtemp()
            os._exit(0)
        case "fails":
            raise ValueError("no")
        case "fills memory at once":
            return str(len(bytearray(2000 * MEGABYTE)))
        case "fills memory with a child":
            subprocess.run(
                [sys.executable, "-c", f"len(bytearray({2000 * MEGABYTE}))"], check=True, capture_output=True
            )
    return item.upper()


def pid(item: int) -> int:
    return os.getpid()


def ample(item: object) -> float:
    """Seconds for an item; only for what hangs are they few."""
    return 0.5 if item == "hangs" else AMPLE


def outcome(items: list[str], workers: int) -> dict[str, str]:
    results = each(work, items, workers=workers, seconds=ample)
    return {items[index]: done.message if isinstance(done, Lost) else done for index, done in results}


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_every_item_is_done_once(workers: int) -> None:
    items = [f"item {number}" for number in range(20)]
    done = list(each(work, items, workers=workers, seconds=ample))
    assert sorted(done) == [(index, item.upper()) for index, item in enumerate(items)]


def test_nothing_to_do() -> None:
    assert outcome([], 4) == {}


@pytest.mark.parametrize("workers", [1, 3])
def test_a_worker_that_dies_costs_one_item(workers: int) -> None:
    assert outcome(["a", "dies", "b", "is killed", "c", "fails"], workers) == {
        "a": "A",
        "dies": "the process that judged it ended with code 3",
        "b": "B",
        "is killed": "the process that judged it ended with code -9",
        "c": "C",
        "fails": "ValueError: no",
    }


def test_a_worker_that_hangs_costs_one_item() -> None:
    assert outcome(["hangs", "a", "b"], 1) == {
        "hangs": "judging it took longer than 0.5 seconds",
        "a": "A",
        "b": "B",
    }


def test_workers_end_when_nobody_wants_the_rest() -> None:
    results = each(pid, list(range(50)), workers=2, seconds=ample)
    _, process = next(results)
    results.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)  # type: ignore[arg-type]


def test_meanwhile_something_else_is_done_here() -> None:
    done: list[str] = []
    list(each(work, ["a", "dies", "b"], workers=1, seconds=ample, meanwhile=lambda: done.append("x")))
    assert done == ["x"]


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    done = outcome(["leaves a folder", "leaves one and dies", "a"], 1)
    assert Path(done["leaves a folder"]).is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("spent", "processes"), [(True, 4), (False, 1)])
def test_a_worker_that_is_spent_does_nothing_more(spent: bool, processes: int) -> None:
    done = each(pid, [1, 2, 3, 4], workers=1, seconds=ample, is_spent=lambda process: spent)
    assert len({process for _, process in done}) == processes


@needs_proc
@pytest.mark.parametrize("item", ["fills memory at once", "fills memory with a child"])
def test_what_takes_too_much_memory_costs_itself(item: str) -> None:
    done = outcome(["a", item, "b"], 1)
    assert (done["a"], done["b"]) == ("A", "B")
    assert "MemoryError" in done[item] or "returned non-zero exit status" in done[item]


@needs_proc
def test_what_takes_it_step_by_step_is_ended_by_who_watches() -> None:
    """Where no limit of the system holds, as in memory that is mapped from nowhere."""
    results = dict(each(hoard, [1, 2], workers=1, seconds=ample, memory=300 * MEGABYTE))
    assert results[1] == 2
    assert results[0] == Lost("judging it took more than 300 MB of memory")


def hoard(item: int) -> int:
    if item == 1:
        shared = mmap.mmap(-1, 600 * MEGABYTE)
        for place in range(0, 600 * MEGABYTE, 4096):
            shared[place] = 1
        time.sleep(600)
    return item


@needs_proc
def test_a_worker_that_has_grown_is_replaced() -> None:
    processes = [process for _, process in each(grow, [150, 1, 1], workers=1, seconds=ample)]
    assert processes[0] != processes[1] == processes[2]


_KEPT: list[bytes] = []


def grow(megabytes: int) -> int:
    _KEPT.append(bytes(bytearray(b"x" * megabytes * MEGABYTE)))
    return os.getpid()


@needs_proc
def test_memory_as_the_system_tells_it() -> None:
    assert 10 * MEGABYTE < resident() <= peak()
    assert resident(2**22 + 1) == peak(2**22 + 1) == 0  # no such process


def takes_its_time(path: str) -> str:
    """Make something elsewhere, and take it away at the end."""
    Path(path).touch()
    try:
        time.sleep(600)
    finally:
        Path(path).unlink()
    return path


def test_workers_take_away_what_they_have_made_when_a_run_is_broken_off(tmp_path: Path) -> None:
    made = [tmp_path / name for name in ("first", "second")]
    broken_off = each(takes_its_time, [str(path) for path in made], workers=2, seconds=ample)

    def interrupt() -> None:
        assert comes(lambda: all(path.exists() for path in made))
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        list(broken_off)
    assert list(tmp_path.iterdir()) == []


def test_workers_do_so_too_when_the_run_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "made"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        run = os.fork()
    if not run:
        os.setsid()
        list(each(takes_its_time, [str(path)], workers=1, seconds=ample))
        os._exit(0)
    assert comes(path.exists)
    os.kill(run, signal.SIGKILL)
    os.waitpid(run, 0)
    assert comes(lambda: not path.exists())
