"""How a check says that something is not as it should be."""

from __future__ import annotations

from autograder.checks.verdict import Where


class Failed(Exception):
    """What was asked for is not so: the answer loses the criterion.

    ``message`` must not quote ``wanted``: it is shown also where that would give the answer away.
    """

    def __init__(
        self, message: str, *, wanted: str | None = None, found: str | None = None, where: Where | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.wanted = wanted
        self.found = found
        self.where = where


class PartlyFailed(Exception):
    """Some of several claims of equal weight are not so; ``share`` (0 to 1) of the points is earned."""

    def __init__(self, share: float, failures: list[Failed]) -> None:
        super().__init__("; ".join(failure.message for failure in failures))
        self.share = share
        self.failures = failures


class NoSuchField(LookupError):
    """A check asks for a field path that cannot be understood: a mistake of the exercise's author."""
