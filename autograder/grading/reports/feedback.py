"""A page of feedback for one student: the answers with marks at their lines, and for each mark what to know of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from autograder.checks.verdict import Outcome, Role, Status, tidy
from autograder.grading.reports.cleaning import cut, visible
from autograder.grading.reports.pages import page
from autograder.grading.reports.results import (
    GRADED,
    NOT_SUBMITTED,
    Criterion,
    ExerciseInfo,
    ExerciseResult,
    Results,
    Student,
)

#: What a status means, to the student.
MEANING: Final = {
    Status.GRADED.value: "This answer was judged.",
    Status.NOT_SUBMITTED.value: "There was no answer to be judged.",
    Status.UNREADABLE.value: "The answer could not be read, so that nothing in it was judged. It has no points yet; "
    "this is not a 0. What has to be put right stands below.",
    Status.COULD_NOT_BE_JUDGED.value: "Something went wrong while this answer was judged, most likely not in the "
    "answer. It has no points yet; this is not a 0. Your instructor sees it too.",
    Status.TIMED_OUT.value: "Judging this answer took longer than it may. It has no points yet; this is not a 0. Your "
    "instructor sees it too.",
    Status.NOT_RUN_THERE.value: "This exercise cannot be judged on the cluster that was used; it does not count.",
}
BLOCKED: Final = Outcome.BLOCKED.value
#: A sign and a class of the style for what became of a criterion.
SIGNS: Final = {
    Outcome.PASSED.value: ("✓", "good"),
    Outcome.PARTLY.value: ("◐", "half"),
    Outcome.FAILED.value: ("✗", "bad"),
    Outcome.BLOCKED.value: ("–", "none"),
    Outcome.NOT_RUN_THERE.value: ("–", "none"),
    Outcome.COULD_NOT_BE_JUDGED.value: ("?", "half"),
}
#: Lines of an answer, and characters of a line, that a page shows.
LINES, WIDTH = 400, 300


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an answer with the criteria that were lost there; ``number`` 0 says that lines were left out."""

    number: int
    text: str
    marks: tuple[Criterion, ...] = ()


def feedback(results: Results, student: Student) -> str:
    """The page of one student, with all assignments that are in the results."""
    submissions = [one for one in results.by_student[student.id] if one.handed_in]
    absent = [one.assignment for one in results.by_student[student.id] if not one.handed_in]
    earned = [one.earned for one in submissions if one.earned is not None]
    return page(
        "feedback.html.j2",
        results=results, student=student, submissions=submissions, absent=absent,
        earned=tidy(sum(earned)) if earned else None, possible=tidy(sum(one.possible for one in submissions)),
        waiting=any(one.earned is None and one.status != Status.NOT_SUBMITTED.value
                    for submission in submissions for one in submission.exercises),
        meaning=MEANING, signs=SIGNS, lines=lines, score=score, shown=shown, details=details, graded=GRADED,
        missing=NOT_SUBMITTED,
    )  # fmt: skip


def lines(answer: ExerciseResult) -> list[Line]:
    """The answer line by line, each lost criterion at the line that it is about."""
    if answer.answer is None:
        return []
    marks: dict[int, list[Criterion]] = {}
    for one in answer.criteria:
        if one.is_lost and one.where and one.where.file == answer.answer.file:
            marks.setdefault(one.where.line, []).append(one)
    texts = answer.answer.text.removesuffix("\n").split("\n")
    return list(_chosen([Line(number, visible(cut(text, WIDTH)), tuple(marks.get(number, ())))
                         for number, text in enumerate(texts, 1)]))  # fmt: skip


def shown(answer: ExerciseResult) -> list[Criterion]:
    """The criteria that the page shows: of an answer that was not judged only those that say why."""
    if answer.status == GRADED:
        return list(answer.criteria)
    return [] if answer.status == NOT_SUBMITTED else [one for one in answer.criteria if one.outcome != BLOCKED]


def score(one: Criterion, answer: ExerciseResult) -> str:
    """The points of a criterion as the page shows them; none of an answer that has none yet."""
    if answer.status != GRADED:
        return ""
    if one.role == Role.CRITERION.value:
        return f"{one.earned:g} of {one.possible:g}"
    return f"{one.earned:g}" if one.earned < 0 else ""


def details(one: Criterion, exercise: ExerciseInfo) -> list[tuple[str, str, bool]]:
    """What to know of a criterion that was lost: a label, a text, and whether that is a quotation."""
    if not one.is_lost:
        return []
    known = dict(one.details)
    known.setdefault("why", next((check.why for check in exercise.checks if check.name == one.name), ""))
    return [(name, text, name != "why") for name, text in known.items() if text]


def _chosen(all_lines: list[Line]) -> Iterator[Line]:
    """At most ``LINES`` lines, and those with marks; what is left out is said."""
    left_out = 0
    for line in all_lines:
        if line.number <= LINES or line.marks:
            if left_out:
                yield Line(0, f"… {left_out:,} lines are left out …")
            left_out = 0
            yield line
        else:
            left_out += 1
    if left_out:
        yield Line(0, f"… {left_out:,} more lines …")
