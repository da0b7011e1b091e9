"""What a class has understood and what not, counted: totals, exercises, criteria, and the mistakes that many made.

Only answers that were judged count; of the others it is said how many there are.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from autograder.checks.verdict import Outcome, Status
from autograder.grading.reports.cleaning import one_line
from autograder.grading.reports.results import (
    GRADED,
    LOST,
    NOT_SUBMITTED,
    UNJUDGED,
    Criterion,
    ExerciseInfo,
    ExerciseResult,
    Results,
    SubmissionResult,
)

#: A mean share of the points below which an exercise may be too hard, or asks for something that was not taught.
HARD: Final = 0.3
#: A correlation below which an exercise does not tell apart who knows the rest and who does not.
WEAK: Final = 0.1
#: The fewest answers of which a correlation says anything.
FEWEST: Final = 10
#: The part of the answers that could not be judged from which on somebody should look at the exercise.
MANY: Final = 0.1
#: Statuses that are nobody's answer but the grader's trouble.
TROUBLE: Final = frozenset({
    Status.COULD_NOT_BE_JUDGED.value, Status.TIMED_OUT.value, Status.NOT_RUN_THERE.value,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Total:
    """What one student has earned of all that was handed in or should have been; ``is_complete`` if all was judged."""

    student: str
    earned: float
    possible: float
    is_complete: bool

    @property
    def share(self) -> float:
        """What was earned as a part of what could be, from 0 to 1."""
        return self.earned / self.possible if self.possible else 0


@dataclass(frozen=True, slots=True)
class ExerciseFigures:
    """How a class did at one exercise.

    ``difficulty`` is the mean share of the points, from 0 to 1.  ``discrimination`` is the correlation of the share
    with what the same students earned of everything else, from -1 to 1; None for too few answers, or if all are alike.
    """

    assignment: str
    exercise: ExerciseInfo
    judged: int
    full: int
    missing: int
    unjudged: int
    difficulty: float | None
    discrimination: float | None
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something that several students have got wrong in the same way."""

    exercise: str
    criterion: str
    said: str
    wanted: str | None
    students: int
    share: float


def totals(results: Results) -> list[Total]:
    """The totals of all of whom something was judged, best first."""
    found = []
    for student, own in results.by_student.items():
        earned = [one.earned for one in own if one.earned is not None]
        if earned:
            complete = all(one.grade is not None or not one.handed_in for one in own)
            found.append(Total(student, sum(earned), sum(one.possible for one in own), complete))
    return sorted(found, key=lambda total: (-total.share, total.student))


def distribution(found: Sequence[Total], bins: int = 10) -> list[int]:
    """How many totals are in each of equal parts of 0 to 1; full marks are in the last."""
    counts = Counter(min(int(total.share * bins + 1e-9), bins - 1) for total in found)
    return [counts[number] for number in range(bins)]


def exercises(results: Results) -> list[ExerciseFigures]:
    """The figures of every exercise, in the order of the course."""
    earned: dict[str, float] = defaultdict(float)
    possible: dict[str, float] = defaultdict(float)
    answers: dict[tuple[str, str], list[tuple[str, ExerciseResult]]] = defaultdict(list)
    for submission in results.submissions:
        for answer in submission.exercises:
            answers[submission.assignment, answer.exercise].append((submission.student, answer))
            if answer.earned is not None:
                earned[submission.student] += answer.earned
                possible[submission.student] += answer.possible
    found = []
    for assignment in results.assignments:
        for name in assignment.exercises:
            here = answers[assignment.name, name]
            judged = [(student, one) for student, one in here if one.share is not None]
            shares = [one.share or 0 for _, one in judged]
            rest = [
                (share, (earned[student] - (one.earned or 0)) / others)
                for share, (student, one) in zip(shares, judged, strict=True)
                if (others := possible[student] - one.possible) > 0
            ]
            missing = sum(one.status == NOT_SUBMITTED for _, one in here)
            figures = (sum(shares) / len(shares) if shares else None, correlation(rest))
            found.append(
                ExerciseFigures(
                    assignment.name, results.exercise[name], len(judged), sum(share >= 1 for share in shares), missing,
                    len(here) - len(judged) - missing, *figures, tuple(_remarks([one for _, one in here], *figures)),
                )
            )  # fmt: skip
    return found


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's correlation; None for too few pairs, or if either is always the same."""
    if len(pairs) < FEWEST:
        return None
    count = len(pairs)
    mean_x, mean_y = (sum(column) / count for column in zip(*pairs, strict=True))
    across = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
    along = math.sqrt(sum((x - mean_x) ** 2 for x, _ in pairs) * sum((y - mean_y) ** 2 for _, y in pairs))
    return across / along if along > 1e-9 else None


def mistakes(results: Results, *, values: bool, most: int = 20) -> list[Mistake]:
    """What at least two students have in common that is wrong, most of them first.

    ``values`` chooses between wrong values, where a check found one thing and wanted another, and messages without.
    """
    counts: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    wanted: dict[tuple[str, str, str], str | None] = {}
    tried: Counter[str] = Counter()
    for submission, answer, one in _criteria(results):
        if one is None:
            tried[answer.exercise] += 1
        elif one.outcome in LOST and (one.found is not None) is values:
            key = (answer.exercise, one_line(one.name), one_line(one.found or one.message, 200))
            counts[key].add(submission.student)
            wanted.setdefault(key, one_line(one.wanted, 200) if one.wanted else None)
    common = [
        Mistake(*key, wanted[key], len(students), len(students) / tried[key[0]])
        for key, students in counts.items()
        if len(students) > 1
    ]
    common.sort(key=lambda mistake: (-mistake.students, mistake.exercise, mistake.criterion, mistake.said))
    return common[:most]


def unjudged(results: Results) -> Iterator[tuple[SubmissionResult, list[ExerciseResult]]]:
    """The submissions with answers that somebody has to look at, and these answers."""
    for submission in results.submissions:
        answers = [one for one in submission.exercises if one.status not in (GRADED, NOT_SUBMITTED)]
        if answers:
            yield submission, answers


def reason(answer: ExerciseResult) -> str:
    """Why an answer was not judged, in one line."""
    said = next((one for one in answer.criteria if one.is_lost or one.outcome in UNJUDGED), None)
    where = f"{said.where}: " if said and said.where else ""
    return one_line(f"{where}{said.message}") if said else answer.status


def outcome_of(answer: ExerciseResult, check: str) -> str:
    """What became of a check in an answer; the status of the answer if that was not judged."""
    if answer.status != GRADED:
        return answer.status
    found = next((one for one in answer.criteria if one.name == check), None)
    return found.outcome if found else Outcome.BLOCKED.value


def fifths(found: Sequence[Total], parts: int = 5) -> list[list[str]]:
    """The students in groups of about the same size, from the best to the weakest; never more groups than students."""
    count = min(parts, len(found))
    numbered = enumerate(total.student for total in found)
    return [
        [student for _, student in group] for _, group in groupby(numbered, lambda one: one[0] * count // len(found))
    ]


def _criteria(results: Results) -> Iterator[tuple[SubmissionResult, ExerciseResult, Criterion | None]]:
    """Every answer that was given, once alone (with None) and once with what was said first of each of its criteria."""
    for submission in results.submissions:
        for answer in submission.exercises:
            if answer.status != NOT_SUBMITTED:
                yield submission, answer, None
                # of several errors in the same place the others follow from the first
                first = {one.name: one for one in reversed(answer.criteria)}
                yield from ((submission, answer, one) for one in answer.criteria if first[one.name] is one)


def _remarks(
    answers: Sequence[ExerciseResult], difficulty: float | None, discrimination: float | None
) -> Iterator[str]:
    """Why somebody should look at an exercise."""
    troubled = [one.status for one in answers if one.status in TROUBLE]
    given = sum(one.status != NOT_SUBMITTED for one in answers)
    if difficulty is not None and difficulty < HARD:
        yield f"hard: {difficulty:.0%} of the points were earned"
    if discrimination is not None and discrimination < WEAK:
        said = (
            "who did well elsewhere did less well here"
            if discrimination < -WEAK
            else "says little of who knows the rest"
        )
        yield f"{said} (discrimination {discrimination:.2f})".replace("-", "\N{MINUS SIGN}")
    if troubled and len(troubled) >= MANY * given:
        yield f"{len(troubled)} of {given} answers could not be judged"
