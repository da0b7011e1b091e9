"""Waiting for what other processes and threads do, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

#: Seconds after which something that has not come is taken to come never.  It is long since it costs only who fails.
AMPLE: Final = 120.0


def comes(holds: Callable[[], bool], *, look: float = 0.05) -> bool:
    """Whether a condition comes to hold; it is looked at every so many seconds."""
    end = time.monotonic() + AMPLE
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(look)
    return True
