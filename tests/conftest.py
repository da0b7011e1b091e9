"""How many tests run side by side: more than there are processors, since many wait for the time of a real cluster."""

from __future__ import annotations

import os

import pytest

#: Workers for each processor.  A worker takes some 200 MB.
_FOR_EACH = 2


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """What ``-n auto`` means here."""
    return _FOR_EACH * (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
