"""Results as Gradescope's autograders write them: ``results.json`` of one submission.

The fields are those of https://gradescope-autograders.readthedocs.io/en/latest/specs/.  All texts are ``text``, which
Gradescope shows as it is: nothing that a student wrote is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from autograder.checks.verdict import Outcome, Role
from autograder.grading.reports.cleaning import quoted
from autograder.grading.reports.results import UNJUDGED, Criterion, ExerciseResult, Results, SubmissionResult

#: Characters of one quotation.
_QUOTED: Final = 1_000


def gradescope(results: Results, submission: SubmissionResult) -> dict[str, Any]:
    """The ``results.json`` of a submission: a test for each criterion, and one for each answer that was not judged.

    Where nothing was judged there is no ``score``, which Gradescope reports as missing and not as a 0.
    """
    document: dict[str, Any] = {
        "output": _output(submission),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            test for number, answer in enumerate(submission.exercises, 1) for test in _tests(results, number, answer)
        ],
        "extra_data": {
            "student": submission.student, "assignment": submission.assignment, "status": submission.status,
            "possible": submission.possible,
        },
    }  # fmt: skip
    if submission.earned is not None:
        document["score"] = submission.earned
    if submission.seconds is not None:
        document["execution_time"] = round(submission.seconds)
    return document


def _tests(results: Results, number: int, answer: ExerciseResult) -> Iterator[dict[str, Any]]:
    title = results.exercise[answer.exercise].title
    if answer.earned is None:
        reasons = [_said(one) for one in answer.criteria if one.is_lost or one.outcome in UNJUDGED]
        yield {
            "name": f"{answer.exercise} ({title})",
            "number": str(number),
            "output": "\n".join([f"not judged: {answer.status}; there are no points for it yet", *reasons[:5]]),
            "extra_data": {"status": answer.status},
        }
        return
    for part, one in enumerate(answer.criteria, 1):
        test: dict[str, Any] = {
            "name": f"{answer.exercise}: {quoted(one.name)}",
            "number": f"{number}.{part}",
            "output": _said(one),
            "extra_data": {"outcome": one.outcome, "role": one.role},
        }
        if one.role == Role.CRITERION.value and one.outcome not in UNJUDGED:
            test |= {"score": one.earned, "max_score": one.possible}
        if one.outcome not in UNJUDGED:
            test["status"] = "passed" if one.outcome == Outcome.PASSED.value else "failed"
        yield test


def _output(submission: SubmissionResult) -> str:
    points = "-" if submission.earned is None else f"{submission.earned:g}"
    lines = [f"{points} of {submission.possible:g} points ({submission.status})"]
    return "\n".join([*lines, *(f"note: {quoted(note)}" for note in submission.notes)])


def _said(one: Criterion) -> str:
    lines = [quoted(one.message, _QUOTED)]
    if one.is_lost:
        lines += [f"{name}: {quoted(text, _QUOTED)}" for name, text in one.details]
    return "\n".join(lines)
