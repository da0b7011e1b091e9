"""The vocabulary of checks: what the author of an exercise writes, and the verdict that comes of it."""

from autograder.checks.case import Case, Notes, Program
from autograder.checks.commands import CommandRun
from autograder.checks.declaring import BadCheck, Check, criterion, gate, guard
from autograder.checks.findings import Failed
from autograder.checks.hindrances import hindrances
from autograder.checks.judging import Judged, block, run, verdict_of
from autograder.checks.review import Review
from autograder.checks.sources import Sources, place
from autograder.checks.subject import Field, Subject
from autograder.checks.trial import Burst, Trial
from autograder.checks.verdict import Outcome, Result, Role, Status, Verdict, Where

__all__ = [
    "BadCheck",
    "Burst",
    "Case",
    "Check",
    "CommandRun",
    "Failed",
    "Field",
    "Judged",
    "Notes",
    "Outcome",
    "Program",
    "Result",
    "Review",
    "Role",
    "Sources",
    "Status",
    "Subject",
    "Trial",
    "Verdict",
    "Where",
    "block",
    "criterion",
    "gate",
    "guard",
    "hindrances",
    "place",
    "run",
    "verdict_of",
]
