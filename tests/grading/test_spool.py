"""What was found out about a class lies on the disk, and is read again as it was put."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path

import pytest

from autograder.grading import spool
from autograder.grading.footprint import MEGABYTE, resident
from autograder.grading.spool import Spool


def test_items_come_back_in_their_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(spool, "IN_MEMORY", 100)
    items: Spool[dict[str, object]] = Spool(50)
    for number in (*range(25, 50), *range(25)):
        items.put(number, {"number": number, "text": "x" * number, "odd": "\ud800\x00"})
        assert items[number]["number"] == number
    assert [one["number"] for one in items] == list(range(50))
    assert items[-1] == {"number": 49, "text": "x" * 49, "odd": "\ud800\x00"}
    assert [one["number"] for one in items[3:7]] == [3, 4, 5, 6]
    assert list(tmp_path.iterdir()) == []  # it has no name that could be left behind


def test_what_was_never_put_is_an_error() -> None:
    items: Spool[int] = Spool(2)
    items.put(0, 1)
    with pytest.raises(LookupError, match="nothing was put at 1"):
        items[1]


def test_it_takes_little_memory() -> None:
    items: Spool[bytes] = Spool(400)
    before = resident()
    for number in range(400):
        items.put(number, pickle.dumps(list(range(number, number + 50_000))))
    assert sum(1 for _ in items) == 400
    assert resident() - before < 20 * MEGABYTE  # of 60


def test_a_full_disk_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    items: Spool[int] = Spool(1)

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(items._file, "write", full)
    with pytest.raises(OSError, match=f"No space left on device: '{tempfile.gettempdir()}'"):
        items.put(0, 1)
