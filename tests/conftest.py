"""How tests are run: how many side by side, and with a Ctrl-C that is heard."""

from __future__ import annotations

import os
import signal

import pytest

#: Workers for each processor, since many tests wait for the time of a real cluster.  A worker takes some 200 MB.
_FOR_EACH = 2


def pytest_configure(config: pytest.Config) -> None:
    """Hear SIGINT, and let the programs of tests hear it: shells start what runs in the background deaf to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What ``-n auto`` means here."""
    return _FOR_EACH * (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
