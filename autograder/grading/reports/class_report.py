"""The class report: one page for the instructor that shows what the class has understood and where to look."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from autograder.checks.verdict import Role
from autograder.grading.reports import analysis, charts, similarity
from autograder.grading.reports.pages import page
from autograder.grading.reports.results import GRADED, NOT_SUBMITTED, TAMPERED, AssignmentInfo, ExerciseResult, Results

#: Rows of a list that stand on the page; the CSV files have all.
MOST: Final = 200
#: Students of whom a class is split into groups.
_SPLIT: Final = 10


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """A criterion across the class: how many passed, and the part of each group of students that did."""

    exercise: str
    criterion: str
    role: str
    passed: int
    lost: int
    blocked: int
    judged: int
    shares: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One assignment in the report."""

    assignment: AssignmentInfo
    heat_map: Any
    rows: tuple[CriterionRow, ...]


def class_report(results: Results) -> str:
    """The page."""
    totals = analysis.totals(results)
    groups = analysis.fifths(totals) if len(totals) >= _SPLIT else [[total.student for total in totals]]
    figures = analysis.exercises(results)
    unjudged = list(analysis.unjudged(results))
    pairs = similarity.similar(results)
    shares = [total.share for total in totals]
    handed_in = sum(one.handed_in for one in results.submissions)
    answers = Counter(one.status for submission in results.submissions for one in submission.exercises)
    return page(
        "class.html.j2",
        results=results, totals=totals, figures=figures, groups=groups, handed_in=handed_in,
        mean=statistics.fmean(shares) if shares else None, median=statistics.median(shares) if shares else None,
        waiting=sum(count for status, count in answers.items() if status not in (GRADED, NOT_SUBMITTED)),
        histogram=charts.histogram(analysis.distribution(totals), "How many students have which share of the points"),
        bins=analysis.distribution(totals), meter=charts.meter,
        sections=[_section(results, assignment, totals, groups) for assignment in results.assignments],
        legend=charts.LEGEND, look=[one for one in figures if one.remarks],
        values=analysis.mistakes(results, values=True), messages=analysis.mistakes(results, values=False),
        unjudged=unjudged[:MOST], unjudged_more=max(0, len(unjudged) - MOST), reason=analysis.reason,
        altered=[one for one in results.submissions if one.status == TAMPERED],
        pairs=pairs[:MOST], pairs_more=max(0, len(pairs) - MOST), similarity=similarity, analysis=analysis,
        bucket=bucket,
    )  # fmt: skip


def bucket(share: float | None) -> str:
    """The class of the style for a share."""
    return "" if share is None else f"b{min(int(share * 5), 4)}"


def _section(
    results: Results, assignment: AssignmentInfo, totals: Sequence[analysis.Total], groups: Sequence[Sequence[str]]
) -> Section:
    """The heat-map of an assignment and the same as a table."""
    columns = [(name, check) for name in assignment.exercises for check in results.exercise[name].checks]
    submissions = {one.student: {answer.exercise: answer for answer in one.exercises}
                   for one in results.of(assignment.name) if one.handed_in}  # fmt: skip
    students = [total.student for total in totals if total.student in submissions]
    outcomes = {
        student: [_outcome(submissions[student].get(name), check.name) for name, check in columns]
        for student in students
    }
    heat_map = charts.HeatMap(
        f"{assignment.name}: what became of every criterion, student by student", students,
        [(name, check.name) for name, check in columns], [outcomes[student] for student in students],
    )  # fmt: skip
    rows = tuple(
        _row(name, check.name, check.role, [[outcomes[student][number] for student in group if student in outcomes]
                                            for group in groups])
        for number, (name, check) in enumerate(columns)
    )  # fmt: skip
    return Section(assignment, heat_map.svg() if students and columns else "", rows)


def _outcome(answer: ExerciseResult | None, check: str) -> str:
    return NOT_SUBMITTED if answer is None else analysis.outcome_of(answer, check)


def _row(exercise: str, criterion: str, role: str, groups: Sequence[Sequence[str]]) -> CriterionRow:
    counts = Counter(kind for group in groups for kind in charts.kinds(group))
    judged = sum(counts[kind] for kind in ("passed", "partly", "failed", "blocked"))
    shares = []
    for group in groups:
        own = Counter(charts.kinds(group))
        seen = own["passed"] + own["partly"] + own["failed"] + own["blocked"]
        shares.append(own["passed"] / seen if seen else None)
    return CriterionRow(
        exercise, criterion, role if role != Role.CRITERION.value else "", counts["passed"],
        counts["failed"] + counts["partly"], counts["blocked"], judged, tuple(shares),
    )  # fmt: skip
