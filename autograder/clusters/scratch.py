"""Folders for the time of one run, which go with it however it ends: if it is killed, the next run removes them.

Beside each folder is a file that its run holds a lock on, which the kernel gives up with the process.  A file whose
lock is free was left by a run that is gone, and so was its folder.  No clock is asked, and no number of a process is
believed: clocks are set, and numbers are used again.  A folder without such a file is somebody else's, or that of
another version of this program, and is left alone.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

PREFIX: Final = "autograder-"
LOCK: Final = ".lock"
#: The kind of those folders that hold nothing but files.
FILES: Final = "run"


class Scratch:
    """A folder of this process at ``path``, readable by its owner alone, until ``remove`` or its end."""

    def __init__(self, kind: str = FILES, place: Path | None = None) -> None:
        self.path, self._lock = _made(kind, place or Path(tempfile.gettempdir()))
        self._finalizer = weakref.finalize(self, _finish, self.path, self._lock, os.getpid())

    @property
    def lock(self) -> Path:
        """The file whose lock says that the folder is in use."""
        return _lock_of(self.path)

    def remove(self) -> None:
        """Remove the folder and all that is in it; does nothing the second time."""
        self._finalizer()


def clean(
    kind: str = FILES, place: Path | None = None, end: Callable[[Path], object] = lambda folder: None
) -> list[Path]:
    """Remove the folders of a kind that were left behind; returns them.  ``end`` ends first what runs in each."""
    removed = []
    for file in (place or Path(tempfile.gettempdir())).glob(f"{PREFIX}{kind}-*{LOCK}"):
        with _left_over(file) as folder:
            if folder is not None:
                end(folder)
                _remove(folder)
                removed.append(folder)
    return removed


def unknown(kind: str = FILES, place: Path | None = None) -> list[Path]:
    """Folders that are called as those of a kind and of which nothing is known; they are left alone."""
    found = (place or Path(tempfile.gettempdir())).glob(f"{PREFIX}{kind}-*")
    return sorted(path for path in found if path.is_dir() and not path.is_symlink() and not _lock_of(path).exists())


def locked(path: Path) -> IO[bytes] | None:
    """The file, made if it is not there and locked for us; None while somebody else holds it."""
    file = path.open("ab")
    if _take(file):
        return file
    file.close()
    return None


def _made(kind: str, place: Path) -> tuple[Path, IO[bytes]]:
    """A new folder, and the lock on it, which was there before."""
    while True:
        folder = place / f"{PREFIX}{kind}-{secrets.token_hex(4)}"
        if folder.exists():
            continue
        lock = locked(_lock_of(folder))
        if lock is None or not _lock_of(folder).exists():  # another run took the new file for a leftover
            continue
        folder.mkdir(mode=0o700)
        return folder, lock


@contextlib.contextmanager
def _left_over(file: Path) -> Iterator[Path | None]:
    """The folder of a lock, which is ours meanwhile; None if it is in use, or gone."""
    try:
        lock = file.open("r+b")  # never made anew
    except OSError:
        yield None
        return
    with lock:
        yield file.with_suffix("") if _take(lock) and file.exists() else None


def _take(file: IO[bytes]) -> bool:
    """Lock an open file without waiting; whether it is ours now."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _finish(folder: Path, lock: IO[bytes], process: int) -> None:
    """Remove a folder at its end; a process that was forked meanwhile has no say in it."""
    if os.getpid() == process:
        _remove(folder)
    lock.close()


def _remove(folder: Path) -> None:
    """Remove a folder and, last, the file that says whose it is."""
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # Windows removes no file that is open: the next run does it
        _lock_of(folder).unlink()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + LOCK)
