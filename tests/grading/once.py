"""What takes long to make is made once for all processes that tests run in, by whichever of them comes first."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

Made = TypeVar("Made")


def for_all_workers(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """What ``make`` returns, given an empty folder that stays; the others wait, and get a pickled copy.

    Nothing may change the folder afterwards.  One that fails is made anew by the next, and fails there too.
    """
    shared = factory.getbasetemp()
    if shared.name.startswith("popen-"):  # the folder of one of several processes
        shared = shared.parent
    kept = shared / f"{name}.pickle"
    with FileLock(shared / f"{name}.lock"):
        if not kept.exists():
            made = make(factory.mktemp(name))
            kept.write_bytes(pickle.dumps(made))
        return pickle.loads(kept.read_bytes())
