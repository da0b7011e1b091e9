"""A limit on wall time for code that does not ask for the time itself.

A simulated cluster can be kept busy for ever by a hostile answer.  When the time is up an exception is raised in the
thread that runs it; it is no ``Exception``, so that nothing on the way takes it for an error of its own.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TimedOut(BaseException):
    """The judgement took longer than it may."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise ``TimedOut`` in this thread unless the block ends within ``seconds`` of wall time."""
    thread = threading.get_ident()
    lock = threading.Lock()
    ended = False

    def ring() -> None:
        with lock:
            if not ended:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimedOut))

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            ended = True
        timer.cancel()
