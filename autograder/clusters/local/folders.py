"""Where a run keeps its data, keys and logs; and the end of all that belongs to a run that was cut off.

A run holds a lock on its folder, which the kernel gives up with the process, however that ends.  A folder whose lock
is free is left over: its processes are those of our programs whose command lines name it.  So nothing has to be noted
down before it happens, and no number of a process is believed.

This file is also the program of the keeper, a process that waits for the end of the run that started it and then
removes what is left.  It needs nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

PREFIX: Final = "autograder-local-"
#: A folder is called so until it is locked.
_DRAFT: Final = ".autograder-local-"
_LOCK: Final = "lock"
#: Seconds after which a draft is left over.
_OLD: Final = 3600
#: What a process of ours is called, among the first words of its command line (a script follows its interpreter).
PROGRAMS: Final = frozenset({"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"})


class Folder:
    """The locked folder of this run, with a keeper beside it."""

    def __init__(self) -> None:
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT))
        self._lock: IO[bytes] | None = _locked(draft / _LOCK)
        self.path = draft.rename(draft.with_name(PREFIX + draft.name.removeprefix(_DRAFT)))
        command = [sys.executable, "-I", __file__, str(self.path)]
        self._keeper = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def remove(self) -> None:
        """End what still runs here, remove the folder, and dismiss the keeper."""
        _remove(self.path)
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        self._keeper.wait()


def clean(place: Path | None = None) -> list[Path]:
    """Remove what runs that were cut off have left in ``place`` (where temporary files are); returns the folders."""
    place = place or Path(tempfile.gettempdir())
    return [folder for folder in _ours(place) if _is_left_over(folder) and _remove(folder)]


def keep(folder: Path) -> None:
    """Remove a folder whose run has ended without doing so itself; its lock may be given up a moment later."""
    import fcntl

    with contextlib.suppress(FileNotFoundError), (folder / _LOCK).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove(folder)


def _ours(place: Path) -> list[Path]:
    found = [*place.glob(f"{PREFIX}*"), *place.glob(f"{_DRAFT}*")]
    return [path for path in found if path.is_dir() and not path.is_symlink() and path.stat().st_uid == os.getuid()]


def _is_left_over(folder: Path) -> bool:
    if folder.name.startswith(_DRAFT):
        return time.time() - folder.stat().st_mtime > _OLD
    lock = _locked(folder / _LOCK)
    if lock is None:
        return False
    lock.close()
    return True


def _locked(path: Path) -> IO[bytes] | None:
    """The file, locked for us; None while somebody else holds it."""
    import fcntl

    lock = path.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def _remove(folder: Path) -> bool:
    for process in processes_of(folder):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    return True


def processes_of(folder: Path) -> list[int]:
    """The processes of our programs that work in a folder."""
    return [
        process for process, words in _command_lines()
        if any(str(folder) in word for word in words) and PROGRAMS & {Path(word).name for word in words[:2]}
    ]  # fmt: skip


def _command_lines() -> Iterator[tuple[int, list[str]]]:
    proc = Path("/proc")
    if not (proc / "self" / "cmdline").exists():
        listed = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=False).stdout
        for number, *words in (line.split() for line in listed.splitlines()):
            yield int(number), words
        return
    for path in proc.iterdir():
        if path.name.isdecimal():
            with contextlib.suppress(OSError):  # it has ended, or is somebody else's
                yield (
                    int(path.name),
                    (path / "cmdline").read_text(encoding="utf-8", errors="replace").rstrip("\0").split("\0"),
                )


if __name__ == "__main__":
    sys.stdin.buffer.read()
    keep(Path(sys.argv[1]))
