"""Work in worker processes: one that dies or hangs costs its item, and nothing else."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from pathlib import Path

import pytest

from autograder.grading.pool import Lost, each

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="what workers die of here"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


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
    return item.upper()


def pid(item: int) -> int:
    return os.getpid()


def outcome(items: list[str], workers: int, seconds: float = 30) -> dict[str, str]:
    results = each(work, items, workers=workers, seconds=lambda item: seconds)
    return {items[index]: done.message if isinstance(done, Lost) else done for index, done in results}


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_every_item_is_done_once(workers: int) -> None:
    items = [f"item {number}" for number in range(20)]
    done = list(each(work, items, workers=workers, seconds=lambda item: 30))
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
    begin = time.monotonic()
    assert outcome(["hangs", "a", "b"], 1, seconds=0.5) == {
        "hangs": "judging it took longer than 0.5 seconds",
        "a": "A",
        "b": "B",
    }
    assert time.monotonic() - begin < 20


def test_workers_end_when_nobody_wants_the_rest() -> None:
    results = each(pid, list(range(50)), workers=2, seconds=lambda item: 30)
    _, process = next(results)
    results.close()  # type: ignore[attr-defined]
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)  # type: ignore[arg-type]


def test_meanwhile_something_else_is_done_here() -> None:
    done: list[str] = []
    list(each(work, ["a", "dies", "b"], workers=1, seconds=lambda item: 30, meanwhile=lambda: done.append("x")))
    assert done == ["x"]


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    done = outcome(["leaves a folder", "leaves one and dies", "a"], 1)
    assert Path(done["leaves a folder"]).is_relative_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("spent", "processes"), [(True, 4), (False, 1)])
def test_a_worker_that_is_spent_does_nothing_more(spent: bool, processes: int) -> None:
    done = each(pid, [1, 2, 3, 4], workers=1, seconds=lambda item: 30, is_spent=lambda process: spent)
    assert len({process for _, process in done}) == processes
