"""How far long work has come, on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Final, TextIO

_WIDTH: Final = 30

#: Parts of the whole after which a line is written where there is no terminal.
_PARTS: Final = 4


class Progress:
    """Counts what is done.  ``what`` names the things in the plural."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._begin = time.monotonic()
        self._total = self._done = 0

    def begin(self, total: int) -> None:
        """So many are to be done, from now on."""
        self._begin, self._total, self._done = time.monotonic(), total, 0

    def step(self, name: str = "") -> None:
        """One more is done; ``name`` says which."""
        self._done += 1
        if self._stream.isatty():
            filled = _WIDTH * self._done // self._total
            bar = "█" * filled + "·" * (_WIDTH - filled)
            self._write(f"\r\033[K{bar} {self._counts()}  {name[:40]}")
        elif self._part(self._done) > self._part(self._done - 1):
            self._write(f"{self._counts()}\n")

    def close(self) -> None:
        """Leave a terminal's line clean."""
        if self._stream.isatty():
            self._write("\r\033[K")

    def _part(self, done: int) -> int:
        return _PARTS * done // self._total

    def _counts(self) -> str:
        passed = time.monotonic() - self._begin
        left = passed / self._done * (self._total - self._done)
        rest = f", {_in_words(left)} left" if self._done < self._total else ""
        return f"{self._done}/{self._total} {self._what}, {passed:.1f} s{rest}"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _in_words(seconds: float) -> str:
    """A length of time, to the second or, where it is long, to the minute."""
    minutes = round(seconds / 60)
    if minutes < 3:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
