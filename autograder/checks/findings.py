"""How a check says that something is not as it should be."""

from __future__ import annotations

from typing import Final

from autograder.checks.verdict import Where

#: Characters of what a check says or quotes; an answer may hold a million.
LENGTH: Final = 4_000


class Failed(Exception):
    """What was asked for is not so: the answer loses the criterion.

    ``message`` must not quote ``wanted``: it is shown also where that would give the answer away.
    """

    def __init__(
        self, message: str, *, wanted: str | None = None, found: str | None = None, where: Where | None = None
    ) -> None:
        super().__init__(message)
        self.message = cut(message)
        self.wanted = wanted and cut(wanted)
        self.found = found and cut(found)
        self.where = where


class PartlyFailed(Exception):
    """Some of several claims of equal weight are not so; ``share`` (0 to 1) of the points is earned."""

    def __init__(self, share: float, failures: list[Failed]) -> None:
        super().__init__("; ".join(failure.message for failure in failures))
        self.share = share
        self.failures = failures


def cut(text: str) -> str:
    """The beginning of a text that is too long to be told."""
    return text if len(text) <= LENGTH else f"{text[:LENGTH]} ... ({len(text) - LENGTH:,} more characters)"


class NoSuchField(LookupError):
    """A check asks for a field path that cannot be understood: a mistake of the exercise's author."""
