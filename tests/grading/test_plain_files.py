"""Opening files that somebody else may be changing for something else meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.grading.disk import NotPlain, plain_file


def other(folder: Path) -> Path:
    path = folder / "of-somebody-else"
    path.write_text("secret")
    return path


THINGS: dict[str, Callable[[Path], None]] = {
    "a link": lambda path: path.symlink_to(other(path.parent)),
    "a pipe": lambda path: os.mkfifo(path),
    "a folder": lambda path: path.mkdir(),
    "a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("name", THINGS)
def test_only_plain_files_are_opened(tmp_path: Path, name: str) -> None:
    THINGS[name](tmp_path / "x")
    with pytest.raises(NotPlain, match="no plain file"), plain_file(tmp_path / "x"):
        pass


@pytest.mark.parametrize("name", THINGS)
def test_what_takes_the_place_of_a_plain_file_at_the_last_moment_is_not_opened(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_text("mine")
    looked, opened = path.lstat(), os.open
    THINGS[name](tmp_path / "evil")

    def swapped(name: Path, flags: int) -> int:
        path.unlink(missing_ok=True)
        (tmp_path / "evil").rename(path)
        return opened(name, flags)

    monkeypatch.setattr(os, "open", swapped)
    assert looked.st_size == 4
    with pytest.raises(NotPlain, match="no plain file"), plain_file(path):
        pass


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    with plain_file(other(tmp_path)) as file:
        assert file.read() == b"secret"
    with pytest.raises(FileNotFoundError), plain_file(tmp_path / "nothing"):
        pass
