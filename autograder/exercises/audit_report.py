"""What an audit has found: findings in words, and how many answers were judged as they should be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """How many answers of one sort were judged, and how many of them as they should be."""

    judged: int = 0
    right: int = 0

    def count(self, right: bool) -> None:
        """One more was judged, rightly or not."""
        self.judged += 1
        self.right += right

    def __str__(self) -> str:
        return f"{self.right}/{self.judged}"


@dataclass(slots=True)
class Report:
    """What the audit of one exercise found; ``findings`` is empty if all is well."""

    exercise: str
    findings: list[str] = field(default_factory=list)
    rightful: Tally = field(default_factory=Tally)  #: solution, accepted variants and equivalents: full marks
    wrongful: Tally = field(default_factory=Tally)  #: starter and mutants, written and made: marks lost
    seconds: float = 0


def score(reports: Iterable[Report]) -> tuple[Tally, Tally]:
    """All rightful and all wrongful answers of several reports."""
    rightful, wrongful = Tally(), Tally()
    for report in reports:
        for total, one in ((rightful, report.rightful), (wrongful, report.wrongful)):
            total.judged += one.judged
            total.right += one.right
    return rightful, wrongful
