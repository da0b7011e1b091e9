"""The keeper: a process that waits for the end of a run, however it ends, and then ends what the run has left running.

It needs nothing but the standard library, since it is started as a program by itself.  A lock that it has opened tells
it when the run is gone; that holds even if somebody has removed the folder of the run, and the file of the lock.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: What a process of ours is called, among the first words of its command line (a script follows its interpreter).
PROGRAMS: Final = frozenset({"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"})
#: What Linux says of a folder that a process works in and that is gone.
_GONE: Final = " (deleted)"


def keep(folder: Path, lock: Path) -> None:
    """Wait until standard input ends, with the run, and the lock is free; then remove all that is left."""
    import fcntl

    with lock.open("rb") as held:
        sys.stdin.buffer.read()
        fcntl.flock(held, fcntl.LOCK_EX)  # the run may give it up a moment later
        end(folder)
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)


def end(folder: Path) -> None:
    """Kill our programs that work in a folder."""
    for process in processes_of(folder):
        _kill(process)


def end_homeless(prefix: Path) -> list[int]:
    """Kill our programs whose folder, which begins with ``prefix``, is gone with its lock; returns their numbers.

    Their data and keys are lost, so that nobody can use them.  Only Linux tells.
    """
    lost = []
    for process, words in _ours():
        with contextlib.suppress(OSError):
            folder = str(Path(f"/proc/{process}/cwd").readlink())
            home = Path(folder.removesuffix(_GONE))
            named = any(str(home) in word for word in words)
            if folder.endswith(_GONE) and folder.startswith(str(prefix)) and named and not _has_lock(home):
                _kill(process)
                lost.append(process)
    return lost


def processes_of(folder: Path) -> list[int]:
    """The processes of our programs that work in a folder."""
    return [process for process, words in _ours() if any(str(folder) in word for word in words)]


def _has_lock(folder: Path) -> bool:
    return folder.with_name(f"{folder.name}.lock").exists()


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)


def _ours() -> Iterator[tuple[int, list[str]]]:
    """Number and command line of each process that is called as one of our programs."""
    for process, words in _command_lines():
        if PROGRAMS & {Path(word).name for word in words[:2]}:
            yield process, words


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
                text = (path / "cmdline").read_text(encoding="utf-8", errors="replace")
                yield int(path.name), text.rstrip("\0").split("\0")


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]))
