"""Results as JUnit writes those of tests, for whatever shows or collects them: a suite for each submission.

A criterion is a test case.  What was lost is a failure, what could not be judged an error, and what nobody looked at is
skipped.  Characters that XML cannot hold are written out.  The document is valid by the schema that Jenkins reads such
files with, ``junit-10.xsd`` of its plugin xUnit.
"""

from __future__ import annotations

from collections import Counter
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from autograder.checks.verdict import Outcome
from autograder.grading.reports.cleaning import quoted
from autograder.grading.reports.results import GRADED, NOT_SUBMITTED, Criterion, ExerciseResult, Results

_QUOTED: Final = 1_000
_ELEMENTS: Final = {
    Outcome.PASSED.value: "",
    Outcome.PARTLY.value: "failure",
    Outcome.FAILED.value: "failure",
    Outcome.BLOCKED.value: "skipped",
    Outcome.NOT_RUN_THERE.value: "skipped",
    Outcome.COULD_NOT_BE_JUDGED.value: "error",
}
_COUNTED: Final = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def junit(results: Results) -> str:
    """The document, with counts and seconds where readers look for them."""
    top = Element("testsuites", name=quoted(results.course))
    counts: Counter[str] = Counter()
    for submission in results.submissions:
        suite = SubElement(top, "testsuite", name=quoted(f"{submission.assignment} {submission.student}"))
        own: Counter[str] = Counter()
        for answer in submission.exercises:
            _cases(suite, answer, own)
        seconds = submission.seconds or 0
        _count(suite, own)
        suite.set("skipped", str(own["skipped"]))
        suite.set("time", f"{seconds:.3f}")
        counts += own
    _count(top, counts)
    top.set("time", f"{sum(one.seconds or 0 for one in results.submissions):.3f}")
    indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(top, encoding="unicode") + "\n"


def _cases(suite: Element, answer: ExerciseResult, counts: Counter[str]) -> None:
    if not answer.criteria:
        case = SubElement(suite, "testcase", classname=answer.exercise, name="answer", time="0")
        SubElement(case, "skipped", message=answer.status)
        counts.update(tests=1, skipped=1)
    for one in answer.criteria:
        case = SubElement(suite, "testcase", classname=answer.exercise, name=quoted(one.name), time="0")
        kind = _kind(answer, one)
        counts.update(tests=1)
        if kind:
            counts[_COUNTED[kind]] += 1
            type = answer.status if answer.status != GRADED else one.outcome
            SubElement(case, kind, message=quoted(one.message), type=type).text = _details(one)


def _kind(answer: ExerciseResult, one: Criterion) -> str:
    """The element that says what became of a criterion; an answer that was not judged is no failure of a test."""
    kind = _ELEMENTS[one.outcome]
    if kind != "failure" or answer.status == GRADED:
        return kind
    return "skipped" if answer.status == NOT_SUBMITTED else "error"


def _details(one: Criterion) -> str:
    details = (f"{name}: {quoted(text, _QUOTED)}" for name, text in one.details)
    return "\n".join([quoted(one.message, _QUOTED), *details])


def _count(element: Element, counts: Counter[str]) -> None:
    for name in ("tests", "failures", "errors"):
        element.set(name, str(counts[name]))
