"""How tests are run: how many side by side, with a Ctrl-C that is heard, and never against the clock."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

#: Workers for each processor, since many tests wait for the time of a real cluster.  A worker takes some 200 MB.
_FOR_EACH = 2


# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    """Hear SIGINT, and let the programs of tests hear it: shells start what runs in the background deaf to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What ``-n auto`` means here."""
    return _FOR_EACH * (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
