"""The memory of a process: how much it takes, and a limit that turns taking too much into an error of its own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

MEGABYTE: Final = 1024 * 1024

_PAGE: Final = os.sysconf("SC_PAGESIZE") if hasattr(os, "sysconf") else 4096


def resident(process: int | None = None) -> int:
    """Bytes that a process (this one) has in memory; 0 where the system does not tell, or there is no such process."""
    return _pages(process, 1)


def peak(process: int | None = None) -> int:
    """The most bytes that a process (this one) ever had in memory; 0 where the system does not tell."""
    try:
        lines = Path(f"/proc/{process or 'self'}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def limit_growth(more: int) -> None:
    """Let this process, and each that it starts, allocate at most so many bytes more than this one has now.

    What is beyond fails with ``MemoryError``.  Memory that is only reserved does not count, of which kubectl has much.
    """
    allocated = _pages(None, 5)
    if not allocated:
        return  # a system that does not tell has other limits
    import resource

    with contextlib.suppress(ValueError, OSError):  # there is a lower limit already
        resource.setrlimit(resource.RLIMIT_DATA, (allocated + more, resource.RLIM_INFINITY))


def _pages(process: int | None, column: int) -> int:
    """A figure of ``/proc/PID/statm`` in bytes."""
    try:
        return int(Path(f"/proc/{process or 'self'}/statm").read_text(encoding="utf-8").split()[column]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0
