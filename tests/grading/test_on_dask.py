"""Work on a Dask cluster of several processes: the same results, also when workers are lost midway."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patient_dask import patient_dask
from waiting import AMPLE

from autograder.grading.executors import BadExecutor, Lost, executor_of
from autograder.grading.on_dask import AHEAD, OnDask

pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="what workers die of here"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with patient_dask(3) as started:
        yield started


@pytest.fixture
def on_dask(cluster: Any) -> OnDask:
    return OnDask(cluster.scheduler_address, patience=AMPLE)


def ample(item: object) -> float:
    """Seconds for an item; only for what hangs are they few."""
    return 0.5 if item == "hangs" else AMPLE


def work(item: str) -> str:
    match item:
        case "dies":
            os._exit(3)
        case "hangs":
            time.sleep(600)
        case "fails":
            raise ValueError("no")
    time.sleep(0.05)
    return f"{item.upper()} {os.getpid()}"


class DiesOnTheWay:
    """A result that ends its worker when it is fetched."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        self.path.touch()
        os._exit(3)


def work_on_the_way(path: Path) -> DiesOnTheWay | str:
    """The first result is lost with its worker; then the work is ``done again``, or ``dies``."""
    if not path.exists():
        return DiesOnTheWay(path)
    return work(path.name)


def outcome(results: Any, items: list[str]) -> dict[str, str]:
    found = {items[index]: done.message if isinstance(done, Lost) else done.split()[0] for index, done in results}
    return found


def test_every_item_is_done_once(on_dask: OnDask) -> None:
    items = [f"item-{number}" for number in range(60)]
    done = list(on_dask.each(work, items, seconds=ample))
    assert sorted(index for index, _ in done) == list(range(60))
    assert outcome(done, items) == {item: item.upper() for item in items}


def test_no_more_items_are_handed_over_than_there_are_hands(on_dask: OnDask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.grading.on_dask.FEWEST", 1)
    handed_over = 0

    def seconds(item: str) -> float:
        nonlocal handed_over
        handed_over += 1
        return AMPLE

    items = [f"item-{number}" for number in range(60)]
    for done, _ in enumerate(on_dask.each(work, items, seconds=seconds), 1):
        assert handed_over <= min(60, done + AHEAD * 3)
    assert handed_over == 60


def test_a_worker_killed_midway_costs_nothing(on_dask: OnDask) -> None:
    items = [f"item-{number}" for number in range(150)]
    results = on_dask.each(work, items, seconds=ample)
    first = next(results)
    os.kill(int(str(first[1]).split()[1]), signal.SIGKILL)
    done = [first, *results]
    assert sorted(index for index, _ in done) == list(range(150))
    assert outcome(done, items) == {item: item.upper() for item in items}


def test_what_kills_hangs_or_fails_costs_itself(on_dask: OnDask) -> None:
    items = ["a", "dies", "b", "fails", "c"]
    found = outcome(on_dask.each(work, items, seconds=ample), items)
    assert found["dies"] == "the processes that judged it ended, one after the other"
    assert found["fails"] == "ValueError: no"
    assert (found["a"], found["b"], found["c"]) == ("A", "B", "C")


def test_who_waits_behind_what_kills_is_not_harmed(on_dask: OnDask) -> None:
    items = [*(f"before-{number}" for number in range(9)), "dies", "dies", *(f"after-{number}" for number in range(9))]
    found = list(on_dask.each(work, items, seconds=ample))
    assert sorted(index for index, _ in found) == list(range(len(items)))
    assert [items[index] for index, done in found if isinstance(done, Lost)] == ["dies", "dies"]


@pytest.mark.parametrize(
    ("name", "result"),
    [("done again", "DONE"), ("dies", "the processes that judged it ended, one after the other")],
)
def test_what_is_lost_before_it_is_fetched_is_made_again(
    on_dask: OnDask, tmp_path: Path, name: str, result: str
) -> None:
    path = tmp_path / name
    ((index, done),) = on_dask.each(work_on_the_way, [path], seconds=ample)
    assert path.exists()
    assert outcome([(index, done)], [name]) == {name: result}


def test_what_hangs_ends_with_its_worker(on_dask: OnDask) -> None:
    (one,) = on_dask.each(work, ["hangs"], seconds=ample)
    assert isinstance(one[1], Lost)


def test_nobody_is_there() -> None:
    with pytest.raises(BadExecutor, match="there is no Dask scheduler at tcp:"):
        list(OnDask("tcp://127.0.0.1:9", patience=1).each(work, ["a"], seconds=ample))


@pytest.mark.parametrize("spec", ["", "dask", "dask:", "local:3", "ray:x"])
def test_names_of_executors(spec: str) -> None:
    with pytest.raises(BadExecutor, match="no executor is known as"):
        executor_of(spec, 1)
